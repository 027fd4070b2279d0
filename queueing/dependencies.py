"""Parents and children: a dependent is delayed, and outside Redis, until every parent completed.

    submit(depends_on=[parent])   counts the unfinished parents into `pending` and marks them
    settle(ended)                 in the transaction that ends a parent: one less pending, or failed

The mark and the end are updates of the same row, so whichever transaction comes second sees the other.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F
from django.utils import timezone

from .kinds import Ending, get_kind
from .models import Dependency, Job
from .states import FINISHED, UNFINISHED, State

if TYPE_CHECKING:
    from .run import Result

PARENT_FAILED = "An earlier step did not complete, so this one was not tried."


def attach(job: Job, parents: Sequence[Job]) -> None:
    """Make the unsaved `job` wait for those of `parents` that are not over. Within a transaction."""
    ids = [parent.pk for parent in parents]
    Job.objects.filter(id__in=ids, state__in=UNFINISHED).update(has_dependents=True)
    states = dict(Job.objects.filter(id__in=ids).values_list("id", "state"))
    if any(states.get(i) in (State.FAILED, State.CANCELLED, None) for i in ids):
        job.state, job.error, job.error_code = State.FAILED, PARENT_FAILED, "parent_failed"
        job.finished_at = job.created_at
        return
    job.pending = sum(state in UNFINISHED for state in states.values())
    if job.pending:
        job.state = State.DELAYED


def link(job: Job, parents: Sequence[Job]) -> None:
    """Remember what the saved `job` waits for."""
    Dependency.objects.bulk_create([Dependency(job=job, parent=parent) for parent in parents])


def settle(results: "Sequence[Result]") -> list[Job]:
    """After jobs ended, the dependents that may run now. Within the transaction that ended them."""
    parents = _with_dependents([r.run.id for r in results])
    if not parents:
        return []
    fail_dependents([r.run.id for r in results if r.run.id in parents and r.state != State.COMPLETED])
    return _free_dependents([r.run.id for r in results if r.run.id in parents and r.state == State.COMPLETED])


def _with_dependents(ids: list[str]) -> set[str]:
    """Those that others wait for. Plain SQL: it runs for every batch, and nearly always finds none."""
    if not ids:
        return set()
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM queueing_job WHERE has_dependents AND id IN ({marks})", ids)  # noqa: S608
        return {raw if isinstance(raw, str) else raw.hex for (raw,) in cursor.fetchall()}


def _free_dependents(parents: list[str]) -> list[Job]:
    children: set[object] = set()
    for child in Dependency.objects.filter(parent_id__in=parents).values_list("job_id", flat=True):
        children.add(child)
        Job.objects.filter(id=child, pending__gt=0).update(pending=F("pending") - 1)
    ready = Job.objects.filter(id__in=children, pending=0, state=State.DELAYED, run_at=None)
    freed = list(ready)
    ready.update(state=State.WAITING)
    for job in freed:
        job.state = State.WAITING
    return freed


def fail_dependents(ids: Sequence[object]) -> None:
    """The dependents of jobs that failed or were cancelled fail too, and theirs. Within a transaction."""
    parents = list(Job.objects.filter(id__in=ids, has_dependents=True).values_list("id", flat=True))
    if not parents:
        return
    children = list(Job.objects.filter(parents__parent_id__in=parents, state__in=UNFINISHED).distinct())
    changed = {"state": State.FAILED, "error": PARENT_FAILED, "error_code": "parent_failed"}
    for job in children:
        won = Job.objects.filter(id=job.pk).exclude(state__in=FINISHED)
        if won.update(**changed, finished_at=timezone.now(), pending=0) and (
            hook := get_kind(job.kind).on_end
        ):
            hook(
                Ending(
                    job_id=job.id.hex,
                    owner=job.owner,
                    args=job.args,
                    state=State.FAILED,
                    result=None,
                    error=PARENT_FAILED,
                    text="",
                )
            )
    fail_dependents([job.pk for job in children])
