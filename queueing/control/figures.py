"""The numbers that operators see before and after an action. Functions that read the database block."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from queueing.conf import get_queue
from queueing.limits.live_limits import effective
from queueing.models import Job
from queueing.monitoring import failures
from queueing.states import UNFINISHED, State, sql_condition
from queueing.values.ids import first_id_at

from . import limit_texts

#: The finished states in the order in which forms and sentences name them.
FINISHED_STATES = (State.COMPLETED, State.FAILED, State.CANCELLED)
#: The labels of what an audit entry says was changed.
_LABELS = limit_texts.LABELS | {"weight": "Weight"}
#: The oldest jobs among which finished ones are counted.
_MAX_READ = 10_000


def jobs(number: int, *, state: str = "", queue: str = "") -> str:
    """Return `1 job`, `3 failed jobs` or `1,200 jobs of openai-chat`."""
    words = [f"{number:,}", state, "job" if number == 1 else "jobs", f"of {queue}" if queue else ""]
    return " ".join(filter(None, words))


def of_queue(queue: str) -> list[str]:
    """Return the counts of the queue's unfinished jobs, in one sentence."""
    rows = Job.objects.filter(queue=queue).extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (of an index)
    found = dict(rows.order_by().values_list("state").annotate(number=Count("id")))
    order = (State.WAITING, State.DELAYED, State.ACTIVE)
    return [f"Now: {_listed(f'{found.get(state, 0):,} {state}' for state in order)}."]


def of_finished(queue: str, age: timedelta) -> list[str]:
    """Return the counts of the queue's finished jobs that are older than `age`, in one sentence.

    They are counted among the oldest jobs of all queues, so of more jobs the sentence says "at least".
    """
    before = timezone.now() - age
    # No job ends before it is created: the range of ids is an index.
    older = Job.objects.filter(id__lt=first_id_at(before)).order_by("id")
    theirs = Q(queue=queue, finished_at__lt=before)
    ended = {state.value: Count("id", filter=theirs & Q(state=state)) for state in FINISHED_STATES}
    found = older[:_MAX_READ].aggregate(read=Count("id"), **ended)
    parts = [f"{found[state]:,} {state}" for state in FINISHED_STATES]
    return [f"Older than {age.days} days: {'at least ' * (found['read'] == _MAX_READ)}{_listed(parts)}."]


def of_group(queue: str, kind: str, code: str) -> list[str]:
    """Return the number of failed jobs in a group of failures, in one sentence."""
    found = [group for group in failures.groups(queue) if (group.kind, group.code) == (kind, code)]
    if not found:
        return ["No job has failed in this way."]
    return [f"{found[0].count:,}{'+' * found[0].more} {'job' if found[0].count == 1 else 'jobs'} failed."]


def of_limits(queue: str) -> list[str]:
    """Return what a reset would change, one sentence for each limit."""
    now, settings = effective(queue), get_queue(queue)
    changed = [
        f"{label}: {limit_texts.in_words(getattr(settings, name))}"
        f" instead of {limit_texts.in_words(getattr(now, name))}."
        for name, label in limit_texts.LABELS.items()
        if getattr(settings, name) != getattr(now, name)
    ]
    return changed or ["The queue already has the limits of the settings."]


def of_entry(detail: Mapping[str, Any]) -> str:
    """Return the detail of an audit entry: `37 jobs`, `Rate limit no limit → 5 per 60 s`, or a note."""
    before, parts = detail.get("before", {}), []
    if "jobs" in detail:
        parts.append(jobs(detail["jobs"]))
    for name, value in detail.get("after", {}).items():
        old, new = limit_texts.in_words(before.get(name)), limit_texts.in_words(value)
        parts.append(f"{_LABELS.get(name, name)} {old} → {new}")
    return _listed(parts) or str(detail.get("text", ""))


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
