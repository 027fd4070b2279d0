"""Moves of jobs and queues: first in the database, then, after the commit, in Redis. All functions block.

Operators use `audited.py`, which also writes the audit log.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Replace
from django.utils import timezone

from queueing.conf import get_queue, is_configured
from queueing.errors import BadValue, Duplicate, NoQueue, WrongState
from queueing.events import delivery, messages
from queueing.limits import live_limits
from queueing.models import Job, Pause
from queueing.monitoring.counters import count_cancelled
from queueing.record import dependencies
from queueing.record.end_hooks import run_end_hook
from queueing.record.run import as_result
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.states import FINISHED, TRANSITIONS, UNFINISHED, State, sql_condition
from queueing.submit import enqueue_and_announce
from queueing.unique import NEXT

logger = logging.getLogger(__name__)


def set_quiet(worker: str, is_quiet: bool) -> None:
    """Let a worker claim no jobs, or claim again. Raise `BadValue` if it does not run."""
    if not presence.send_quiet(worker, is_quiet):
        raise BadValue("worker", f"no worker {worker} is running")


def cancel(job_id: UUID | str) -> Job:
    """Cancel an unfinished job. A worker that runs it stops it shortly after.

    Raise `Job.DoesNotExist`, or `WrongState` if the job is finished.
    """
    said = {"text": text} if (text := _text_so_far(job_id)) else {}  # else that of an earlier run stays
    with transaction.atomic():
        won = Job.objects.filter(id=job_id, state__in=UNFINISHED).update(
            state=State.CANCELLED, finished_at=timezone.now(), run_at=None, unfinished_parents=0, **said
        )
        job = Job.objects.get(id=job_id)
        if not won:
            raise WrongState("cancel", job.state)
        run_end_hook(job)
        freed = dependencies.give_up([job.pk])
        count_cancelled(job.queue)
        transaction.on_commit(lambda: _remove_from_schedule(job, freed))
        transaction.on_commit(lambda: delivery.emit_sync(job.owner, messages.terminal_event(as_result(job))))
    return job


def _remove_from_schedule(job: Job, freed: Sequence[Job]) -> None:
    """Remove the job from the schedule, and add the jobs that it has freed."""
    if freed:
        enqueue_all(freed)
    try:
        redis_client.run(scripts.remove(job.queue, [job.id.hex]))
    except redis_client.Unavailable as exc:
        logger.warning("job %s is removed; Redis is updated later (%s)", job.id.hex, exc)


def _text_so_far(job_id: UUID | str) -> str:
    hexed = job_id.hex if isinstance(job_id, UUID) else UUID(job_id).hex
    try:
        stored = redis_client.client().get(scripts.stream_key(hexed))
    except redis_client.Unavailable:
        return ""
    return scripts.parse_stream(stored)[1]


def retry(job_id: UUID | str, *, after: Sequence[Job] = ()) -> Job:
    """Run a failed or cancelled job again, with all its attempts, when all jobs of `after` are finished.

    Jobs that failed only because this one failed wait for it again. A deadline that has passed is removed:
    who retries the job wants it to run. Raise `Job.DoesNotExist`, `WrongState` if the job is not failed or
    cancelled, `Duplicate` if another job has its unique key, `NoQueue` if its queue is not in the settings.
    """
    starts_from, ends_in = TRANSITIONS["retry"]
    again = {"state": ends_in, "finished_at": None, "attempts": 0, "stalls": 0, "error": "", "error_code": ""}
    again |= {"token": "", "unique_key": Replace("unique_key", Value(NEXT), Value(""))}
    with transaction.atomic():
        try:
            with transaction.atomic():
                won = Job.objects.filter(id=job_id, state__in=starts_from).update(**again)
        except IntegrityError:
            raise Duplicate("retry") from None
        Job.objects.filter(id=job_id, expires_at__lte=timezone.now()).update(expires_at=None)
        job = Job.objects.get(id=job_id)
        if not won:
            raise WrongState("retry", job.state)
        if not is_configured(job.queue):
            raise NoQueue("retry", job.queue)
        dependencies.queue_again(job, after)
        dependencies.revive([job.pk])
        transaction.on_commit(lambda: enqueue_and_announce(job))
    return job


def promote(job_id: UUID | str) -> Job:
    """Make a delayed job waiting. Raise `Job.DoesNotExist`, or `WrongState` if it is not delayed."""
    job = Job.objects.get(id=job_id)
    if not _promote(job.queue, [job.id]):
        raise WrongState("promote", job.state)
    job.refresh_from_db()
    return job


def promote_some(queue: str, most: int = 500) -> int:
    """Make up to `most` delayed jobs of the queue waiting, and return their number.

    Jobs that wait for other jobs stay delayed.
    """
    rows = _unfinished(queue).filter(state=State.DELAYED, unfinished_parents=0).order_by("id")
    return _promote(queue, list(rows.values_list("id", flat=True)[:most]))


def _promote(queue: str, ids: Sequence[UUID]) -> int:
    with transaction.atomic():
        rows = Job.objects.filter(id__in=ids, state=State.DELAYED, unfinished_parents=0)
        won = rows.update(state=State.WAITING, run_at=None)
        transaction.on_commit(
            lambda: redis_client.run(scripts.promote(queue, [i.hex for i in ids])) if won else None
        )
    return won


def remove(job_id: UUID | str) -> None:
    """Delete a job that is not active, with its history. Raise `Job.DoesNotExist`, or `WrongState`."""
    job = Job.objects.get(id=job_id)
    with transaction.atomic():
        # Its key is free before the job that waits for its end takes it.
        Job.objects.filter(id=job_id).exclude(state=State.ACTIVE).update(unique_key=None)
        freed = [] if job.is_finished else dependencies.give_up([job.pk])
        won, _ = Job.objects.filter(id=job_id).exclude(state=State.ACTIVE).delete()
        if not won:
            raise WrongState("remove", State.ACTIVE)
        transaction.on_commit(lambda: _remove_from_schedule(job, freed))


def remove_all(ids: Sequence[UUID]) -> int:
    """Delete finished jobs with their history, and return their number."""
    rows = Job.objects.filter(id__in=ids, state__in=FINISHED)
    return rows.delete()[1].get(Job._meta.label, 0)


def pause(queue: str) -> bool:
    """Pause a queue: no further jobs start, active jobs finish. Return False if it was paused already.

    While Redis is unavailable, the pause applies as soon as a worker reaches Redis again.
    """
    name = get_queue(queue).name
    with transaction.atomic():
        _, created = Pause.objects.get_or_create(queue=name)
        transaction.on_commit(lambda: sync_limits(name))
    return created


def resume(queue: str) -> bool:
    """Resume a queue. Return False if it was not paused."""
    name = get_queue(queue).name
    with transaction.atomic():
        deleted, _ = Pause.objects.filter(queue=name).delete()
        transaction.on_commit(lambda: sync_limits(name))
    return bool(deleted)


def sync_limits(queue: str) -> None:
    """Copy the pause and the limits of a queue from the database to Redis; later if it is unavailable."""
    try:
        live_limits.sync_queue(queue)
    except redis_client.Unavailable as exc:
        logger.warning(
            "Redis is unavailable (%s); the changes to %s apply when it is available again", exc, queue
        )


def drain_some(queue: str, most: int = 500) -> int:
    """Cancel up to `most` waiting or delayed jobs, and return their number; 0 if none are left."""
    while ids := _not_started(queue, most):
        if drained := sum(_cancelled(job_id) for job_id in ids):
            return drained
    return 0


def _cancelled(job_id: UUID) -> bool:
    try:
        cancel(job_id)
    except WrongState:
        return False  # finished, or cancelled by another operator, in the meantime
    return True


def _not_started(queue: str, most: int) -> Sequence[UUID]:
    rows = _unfinished(queue).filter(state__in=(State.WAITING, State.DELAYED))
    return list(rows.order_by("id").values_list("id", flat=True)[:most])


def _unfinished(queue: str) -> QuerySet[Job]:
    rows = Job.objects.filter(queue=queue)
    return rows.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the states are ours)
