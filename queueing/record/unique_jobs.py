"""What a submission does whose unique key another job has."""

import time
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet, Value
from django.db.models.functions import Replace
from django.utils import timezone

from queueing.models import Job
from queueing.states import UNFINISHED, State, sql_condition
from queueing.unique import NEXT, Unique, mark_of

#: The condition of the index `job_unique`, literally: SQLite then uses it.
_HOLDS_KEY = (
    "unique_key IS NOT NULL AND (unique_span = 'period' OR "
    f"({sql_condition(UNFINISHED)} AND (unique_span = 'end' OR token = '')))"
)


class Settled(NamedTuple):
    """What became of a submission whose key another job has."""

    job: Job
    created: bool = False
    is_postponed: bool = False
    """Whether the job, which was delayed, becomes waiting at another time."""


#: Stores a job that waits for the end of other jobs. Returns False if that was not possible.
Store = Callable[[Job, Sequence[Job]], bool]


def settle(new: Job, unique: Unique, store: Store) -> Settled | None:
    """Do what `unique` says about the unsaved job `new` whose key another job has.

    None if meanwhile no other has it, or if that has changed: the caller tries again to store the job.
    """
    assert new.unique_key
    kept = holder(new.unique_key)
    if kept is None:
        return None
    if unique.on_conflict == "return" or kept.unique_span == "period":
        return Settled(kept)
    following = holder(new.unique_key + NEXT)
    is_replaced = kept.unique_span == "start" or (
        unique.on_conflict == "replace" and kept.state != State.ACTIVE
    )
    if following or is_replaced:
        return _replaced(following or kept, new, unique)
    follower = copy(new)
    follower.unique_key = new.unique_key + NEXT
    return Settled(follower, created=True) if store(follower, [kept]) else None


def with_keys() -> QuerySet[Job]:
    """Return the jobs whose unique key no other job may have now."""
    return Job.objects.extra(where=[_HOLDS_KEY])  # noqa: S610 (the states are ours)


def holder(key: str) -> Job | None:
    """Return the job that has this key. A period that is over is ended: its key is then free."""
    job = with_keys().filter(unique_key=key).first()
    if job and job.unique_span == "period" and job.options["unique_until"] <= time.time():
        Job.objects.filter(id=job.id, unique_key=key).update(unique_key=None)
        return None
    return job


def _replaced(kept: Job, new: Job, unique: Unique) -> Settled | None:
    """Give the job `kept`, which does not run, what `new` is about. Return None if it has changed."""
    run_at = _postponed(kept, new, unique)
    changes = {name: getattr(new, name) for name in ("args", "kind_version", "max_attempts", "expires_at")}
    changes |= {"run_at": run_at, "options": _options(kept, new)}
    same = Job.objects.filter(id=kept.id, unique_key=kept.unique_key, state=kept.state, run_at=kept.run_at)
    if not same.filter(state__in=(State.WAITING, State.DELAYED)).update(**changes):
        return None
    is_postponed = run_at != kept.run_at and not kept.unfinished_parents
    for name, value in changes.items():
        setattr(kept, name, value)
    return Settled(kept, is_postponed=is_postponed)


def _options(kept: Job, new: Job) -> dict[str, Any] | None:
    """Return the options of `new` with the limits of `kept`, under which Redis counts the job."""
    options = {name: value for name, value in (new.options or {}).items() if name != "limits"}
    if limits := (kept.options or {}).get("limits"):
        options["limits"] = limits
    return options or None


def _postponed(kept: Job, new: Job, unique: Unique) -> datetime | None:
    """Return when the job may run. The delay of a submission is changed, not the wait after a failure."""
    is_delayed = kept.run_at > timezone.now() if kept.run_at else kept.unfinished_parents > 0
    if not new.run_at or not is_delayed or kept.attempts:
        return kept.run_at
    if unique.max_wait is None:
        return new.run_at
    return min(new.run_at, kept.created_at + timedelta(seconds=unique.max_wait))


def follows(job: Job) -> bool:
    """Return whether the job waits for the end of the one that has its key."""
    return bool(job.unique_key) and job.unique_key.endswith(NEXT)


def take_keys(freed: Sequence[Job]) -> None:
    """Give those of these jobs that waited for the end of the holder of their key the key itself."""
    for job in freed:
        if follows(job):
            key = job.unique_key.removesuffix(NEXT)
            if holder(key) is None:
                Job.objects.filter(id=job.id, unique_key=job.unique_key).update(unique_key=key)
                job.unique_key = key


def rename_keys(jobs: QuerySet[Job], old: str, new: str) -> None:
    """Make the keys of the jobs of `old` those of `new`. A key that `new` has is lost: two jobs have it."""
    renamed = jobs.alias(renamed=Replace("unique_key", Value(mark_of(old)), Value(mark_of(new))))
    taken = with_keys().filter(owner=new).values("unique_key")
    renamed.filter(
        unique_key__isnull=False, renamed__in=list(taken.values_list("unique_key", flat=True))
    ).update(unique_key=None)
    jobs.filter(unique_key__isnull=False).update(
        unique_key=Replace("unique_key", Value(mark_of(old)), Value(mark_of(new)))
    )
