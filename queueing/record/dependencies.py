"""Dependencies between jobs: a dependent is delayed, and not in Redis, until its parents are finished.

    submit(depends_on=[parent])   the job runs when the parent has completed, and fails if it did not
    submit(after=[parent])        the job runs when the parent is finished, with any outcome
    settle(results)               in the transaction that ends parents: dependents run, wait on, or fail
    queue_again(job, after)       in the transaction that retries a job: it waits again, as when submitted
    revive(parents)               in the transaction that retries parents: jobs that failed for these wait

Submitting counts the unfinished parents into `unfinished_parents` and marks each with `has_dependents`. The
mark and the end are updates of the same row, so the transaction that comes second sees the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from queueing import texts
from queueing.kinds import why_unable
from queueing.models import Dependency, Job
from queueing.states import FINISHED, UNFINISHED, State

from . import unique_jobs
from .end_hooks import run_end_hook
from .run import Result

#: Why a job failed whose parent did not complete, or was deleted before it completed.
PARENT_FAILED = {"error_code": "parent_failed", "error": texts.PARENT_FAILED}
PARENT_DELETED = {"error_code": "parent_deleted", "error": texts.PARENT_DELETED}


def attach(job: Job, parents: Sequence[Job], after: Sequence[Job] = ()) -> None:
    """Make the unsaved `job` wait for the unfinished jobs of `parents` and `after`.

    The caller has opened a transaction.
    """
    needed = {parent.pk for parent in parents}
    ids = needed | {other.pk for other in after}
    Job.objects.filter(id__in=ids, state__in=UNFINISHED).update(has_dependents=True)
    states = dict(Job.objects.filter(id__in=ids).values_list("id", "state"))
    outcomes = {states.get(i) for i in needed}
    if outcomes & {State.FAILED, State.CANCELLED, None}:
        _mark_failed(job, job.created_at, PARENT_DELETED if None in outcomes else PARENT_FAILED)
        return
    job.unfinished_parents = sum(state in UNFINISHED for state in states.values())
    if job.unfinished_parents:
        job.state = State.DELAYED


def parent_ids(job_ids: Iterable[UUID]) -> set[UUID]:
    """Return the ids of the jobs on whose completion any of `job_ids` depends."""
    rows = Dependency.objects.filter(job__in=set(job_ids), any_outcome=False)
    return set(rows.values_list("parent_id", flat=True))


def link(job: Job, parents: Sequence[Job], after: Sequence[Job] = ()) -> None:
    """Store the dependencies of the saved `job`. Run its end hook if a parent has failed already."""
    any_outcome = {other.pk: True for other in after} | {parent.pk: False for parent in parents}
    Dependency.objects.bulk_create(
        [Dependency(job=job, parent_id=pk, any_outcome=value) for pk, value in any_outcome.items()],
        update_conflicts=True,  # a retried job may wait for the end of a job that it depended on
        unique_fields=["job", "parent"],
        update_fields=["any_outcome"],
    )
    if job.is_finished:
        run_end_hook(job)


def settle(results: Sequence[Result]) -> list[Job]:
    """Return the dependents that may run after `results`, in the transaction that records these."""
    parents = _with_dependents([r.run.id for r in results])
    if not parents:
        return []
    ended = [r for r in results if r.run.id in parents]
    completed = [r.run.id for r in ended if r.state == State.COMPLETED]
    freed = free(Dependency.objects.filter(parent__in=completed))
    return freed + give_up([r.run.id for r in ended if r.state != State.COMPLETED])


def _with_dependents(ids: list[str]) -> set[str]:
    """Return the ids that have dependents. Plain SQL, since it runs for every batch and rarely finds one."""
    if not ids:
        return set()
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM queueing_job WHERE has_dependents AND id IN ({marks})", ids)  # noqa: S608
        return {raw if isinstance(raw, str) else raw.hex for (raw,) in cursor.fetchall()}


def free(links: Iterable[Dependency]) -> list[Job]:
    """Count one parent less at the job of each of `links`, and return the jobs without unfinished parents."""
    links = list(links)
    children = [link.job_id for link in links]
    for child in children:
        Job.objects.filter(id=child, unfinished_parents__gt=0).update(
            unfinished_parents=F("unfinished_parents") - 1
        )
    # Such a link counts once, even if the parent is retried and ends again.
    Dependency.objects.filter(id__in=[link.pk for link in links], any_outcome=True).delete()
    ready = Job.objects.filter(id__in=children, unfinished_parents=0, state=State.DELAYED)
    freed = list(ready)  # a job with its own delay stays delayed, and goes into the schedule
    ready.filter(run_at=None).update(state=State.WAITING)
    for job in freed:
        job.state = State.DELAYED if job.run_at else State.WAITING
    unique_jobs.take_keys(freed)
    return freed


def give_up(ids: Sequence[object]) -> list[Job]:
    """Fail the jobs that depend on `ids`, which did not complete, and the dependents of these in turn.

    Return the jobs that only waited for the end of one of them, and may run now. The caller has opened a
    transaction.
    """
    freed: list[Job] = []
    while ids := list(Job.objects.filter(id__in=ids, has_dependents=True).values_list("id", flat=True)):
        freed += free(Dependency.objects.filter(parent__in=ids, any_outcome=True))
        ids = fail(
            Job.objects.filter(parents__in=Dependency.objects.filter(parent__in=ids, any_outcome=False))
        )
    return freed


def fail(jobs: Iterable[Job], reason: Mapping[str, str] = PARENT_FAILED) -> list[object]:
    """Fail the unfinished ones of `jobs`, and return their ids. The caller has opened a transaction.

    A job that this process cannot do is left alone, since its end hook would not run: a process that can do
    it finds it (lost_parents.py).
    """
    failed = []
    for job in jobs:
        if why_unable(job.kind, job.kind_version, tuple(job.args)):
            continue
        won = Job.objects.filter(id=job.pk).exclude(state__in=FINISHED)
        _mark_failed(job, timezone.now(), reason)
        names = ("state", "error", "error_code", "unfinished_parents", "finished_at")
        if won.update(**{name: getattr(job, name) for name in names}):
            failed.append(job.pk)
            run_end_hook(job)
    return failed


def queue_again(job: Job, after: Sequence[Job]) -> None:
    """Make a job that is retried wait for the unfinished jobs of `after`, and for no others.

    The caller has opened the transaction that retries it.
    """
    job.parents.filter(any_outcome=True).delete()
    if not after:
        return
    attach(job, (), after)
    if job.unfinished_parents:
        Job.objects.filter(id=job.pk).update(state=job.state, unfinished_parents=job.unfinished_parents)
        link(job, (), after)


def revive(ids: Sequence[object]) -> None:
    """Make the jobs that failed only because one of `ids` failed wait again, and their dependents in turn.

    The caller has opened the transaction that retries `ids`.
    """
    while ids:
        links = Dependency.objects.filter(parent__in=ids, any_outcome=False)
        children = Job.objects.filter(
            parents__in=links, state=State.FAILED, error_code=PARENT_FAILED["error_code"]
        ).distinct()
        ids = [child.pk for child in children if _waits_again(child)]


def _waits_again(job: Job) -> bool:
    """Make `job` wait for its parents, unless one that must complete has failed. Return whether it waits."""
    needed = set(job.parents.filter(any_outcome=False).values_list("parent_id", flat=True))
    ids = needed | set(job.parents.values_list("parent_id", flat=True))
    Job.objects.filter(id__in=ids, state__in=UNFINISHED).update(has_dependents=True)  # as in `attach`
    states = dict(Job.objects.filter(id__in=ids).values_list("id", "state"))
    if any(states.get(i) in (State.FAILED, State.CANCELLED, None) for i in needed):
        return False
    unfinished_parents = sum(state in UNFINISHED for state in states.values())
    failed = Job.objects.filter(id=job.pk, state=State.FAILED, error_code=PARENT_FAILED["error_code"])
    waits = {"state": State.DELAYED, "unfinished_parents": unfinished_parents, "finished_at": None}
    try:
        with transaction.atomic():
            won = failed.update(**waits, error="", error_code="")
    except IntegrityError:  # another job has its unique key
        return False
    Job.objects.filter(id=job.pk, expires_at__lte=timezone.now()).update(expires_at=None)
    return won > 0


def _mark_failed(job: Job, now: datetime, reason: Mapping[str, str]) -> None:
    job.state, job.error, job.error_code = State.FAILED, reason["error"], reason["error_code"]
    job.unfinished_parents, job.finished_at = 0, now
