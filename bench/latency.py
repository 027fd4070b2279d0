"""Latency: from the submitting call to the first line of the handler, on an idle system."""

from .contestants import STAMPS, Contestant
from .process import wait_for
from .store import Store

TITLE = "Latency: {count:,} jobs, each submitted to an idle system at a random moment"
COLUMNS = {"p50": "p50 ms", "p99": "p99 ms"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 500, 20


def measure(contestant: Contestant, store: Store, count: int) -> dict[str, float]:
    """Measure with the machine's monotonic clock. The first jobs are a warm-up and do not count."""
    warm = count // 5
    contestant.prepare(store)
    contestant.run_command(store, "fill", "noop", 5)
    workers = contestant.work(store, slots=100)
    try:
        wait_for(lambda: not contestant.unfinished(store.client), "the workers", workers)
        contestant.run_command(store, "pace", count + warm)
        wait_for(lambda: len(_stamps()) == count + warm, "the last start", workers)
    finally:
        workers.stop()
    stamps = sorted(_stamps()[warm:])
    return {"p50": stamps[len(stamps) // 2], "p99": stamps[len(stamps) * 99 // 100]}


def _stamps() -> list[float]:
    """Return the milliseconds of each job, in the order of their starts."""
    if not STAMPS.exists():
        return []
    return [int(line) / 1e6 for line in STAMPS.read_text().splitlines()]
