"""The queues: workers, their releases, and all health warnings (the rules of the dashboard)."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from queueing.api import monitoring

from .findings import OK, PROBLEM, WARNING, Finding, one_line

ADVICE = "The queues are read from the database and Redis: correct these first."
_ADVICE = {
    "no_workers": "Start a cluster: manage.py qcluster",
    "outage": "Look at the model above: its provider does not answer.",
    "disk": "Free some space, or lower MIN_FREE_MB.",
}
_DASHBOARD = "Open /admin/queue, or run: manage.py queue_monitor --once"
#: Warnings about which other looks say more.
_ELSEWHERE = {"redis", "eviction", "memory"}


def examine() -> Iterator[Finding]:
    """Yield the running workers by release, then the health warnings."""
    health = asyncio.run(monitoring.queue_health())
    yield from _releases(Counter(worker.get("version") or "" for worker in health["workers"]))
    for warning in health["warnings"]:
        if warning["code"] not in _ELSEWHERE:
            level = PROBLEM if warning["level"] == monitoring.CRITICAL else WARNING
            advice = _ADVICE.get(warning["code"], _DASHBOARD)
            yield Finding(level, one_line(warning["text"]), advice)


def _releases(workers: Counter[str]) -> Iterator[Finding]:
    if not workers:
        return  # there is a warning
    parts = [f"{number} of release {name or '(not set)'}" for name, number in sorted(workers.items())]
    number = workers.total()
    text = f"{number} worker{'' if number == 1 else 's'} running"
    if len(workers) == 1:
        yield Finding(OK, text + (f", release {next(iter(workers))}" if "" not in workers else ""))
    else:
        advice = "During a deploy this is right. Else restart the clusters that run the old release."
        yield Finding(WARNING, f"{text}: {', '.join(parts)}", advice)
