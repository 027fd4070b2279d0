"""What is done to jobs and queues. Synchronous; the record first, then, once that is committed, Redis.

Operators do it through operating.py, which also writes down who did.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from queueing.conf import get_queue, is_configured
from queueing.errors import NoQueue, WrongState
from queueing.events import delivery, messages
from queueing.limits import live_limits
from queueing.models import Job, Pause
from queueing.record import dependencies
from queueing.record.end_hooks import run_end_hook
from queueing.record.run import as_result
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.states import FINISHED, TRANSITIONS, UNFINISHED, State, sql_condition
from queueing.submit import enqueue_and_announce

logger = logging.getLogger(__name__)


def cancel(job_id: UUID | str) -> Job:
    """End an unfinished job, wherever it is. A worker that runs it drops it within a moment.

    Raises `Job.DoesNotExist`, or `WrongState` when it is over already.
    """
    text = _text_so_far(job_id)
    with transaction.atomic():
        won = Job.objects.filter(id=job_id, state__in=UNFINISHED).update(
            state=State.CANCELLED, finished_at=timezone.now(), run_at=None, unfinished_parents=0, text=text
        )
        job = Job.objects.get(id=job_id)
        if not won:
            raise WrongState("cancel", job.state)
        run_end_hook(job)
        freed = dependencies.give_up([job.pk])
        transaction.on_commit(lambda: _gone(job, freed))
        transaction.on_commit(lambda: delivery.emit_sync(job.owner, messages.terminal_event(as_result(job))))
    return job


def _gone(job: Job, freed: Sequence[Job]) -> None:
    """Tell Redis that the job is no longer there, and which may now run."""
    if freed:
        enqueue_all(freed)
    try:
        redis_client.run(scripts.remove(job.queue, [job.id.hex]))
    except redis_client.Unavailable as exc:
        logger.warning("job %s is gone; Redis hears of it later (%s)", job.id.hex, exc)


def _text_so_far(job_id: UUID | str) -> str:
    hexed = job_id.hex if isinstance(job_id, UUID) else UUID(job_id).hex
    try:
        kept = redis_client.client().get(scripts.stream_key(hexed))
    except redis_client.Unavailable:
        return ""
    return scripts.parse_stream(kept)[1]


def retry(job_id: UUID | str, *, after: Sequence[Job] = ()) -> Job:
    """Run a failed or cancelled job anew, with all its attempts, once all of `after` are over.

    What failed only because this job had waits for it again. Raises `Job.DoesNotExist`, or `WrongState`
    when it is neither, or `NoQueue` when no worker would run it.
    """
    starts_from, ends_in = TRANSITIONS["retry"]
    with transaction.atomic():
        won = Job.objects.filter(id=job_id, state__in=starts_from).update(
            state=ends_in, finished_at=None, attempts=0, stalls=0, error="", error_code="", text="", token=""
        )
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
    """Let a delayed job run now. Raises `Job.DoesNotExist`, or `WrongState` when it is not delayed."""
    job = Job.objects.get(id=job_id)
    if not _promote(job.queue, [job.id]):
        raise WrongState("promote", job.state)
    job.refresh_from_db()
    return job


def promote_some(queue: str, most: int = 500) -> int:
    """Let up to `most` delayed jobs of the queue run now; how many. None of them waits for another job."""
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
    """Delete a job that is not running, with its history. Raises as `promote` does."""
    job = Job.objects.get(id=job_id)
    with transaction.atomic():
        freed = [] if job.is_finished else dependencies.give_up([job.pk])
        won, _ = Job.objects.filter(id=job_id).exclude(state=State.ACTIVE).delete()
        if not won:
            raise WrongState("remove", State.ACTIVE)
        transaction.on_commit(lambda: _gone(job, freed))


def remove_all(ids: Sequence[UUID]) -> int:
    """Delete jobs that are over, with their history; how many there were."""
    rows = Job.objects.filter(id__in=ids, state__in=FINISHED)
    return rows.delete()[1].get(Job._meta.label, 0)


def pause(queue: str) -> bool:
    """Start nothing more on the queue; what runs finishes. Whether that is news: twice is as good as once.

    With Redis away it holds as soon as a worker has reached Redis again.
    """
    name = get_queue(queue).name
    with transaction.atomic():
        _, news = Pause.objects.get_or_create(queue=name)
        transaction.on_commit(lambda: tell(name))
    return news


def resume(queue: str) -> bool:
    """Let a paused queue go on; whether it was paused."""
    name = get_queue(queue).name
    with transaction.atomic():
        gone, _ = Pause.objects.filter(queue=name).delete()
        transaction.on_commit(lambda: tell(name))
    return bool(gone)


def tell(queue: str) -> None:
    """Tell Redis what is on record of the queue's pause and limits; it is told later if it is away."""
    try:
        live_limits.sync_queue(queue)
    except redis_client.Unavailable as exc:
        logger.warning("Redis is away (%s); what was changed of %s holds once it is back", exc, queue)


def drain_some(queue: str, most: int = 500) -> int:
    """Cancel up to `most` of what waits or is delayed; how many. 0 when nothing is left."""
    while ids := _idle(queue, most):
        if drained := sum(_cancelled(job_id) for job_id in ids):
            return drained
    return 0


def _cancelled(job_id: UUID) -> bool:
    try:
        cancel(job_id)
    except WrongState:
        return False  # it ended, or another operator was quicker
    return True


def _idle(queue: str, most: int) -> Sequence[UUID]:
    rows = _unfinished(queue).filter(state__in=(State.WAITING, State.DELAYED))
    return list(rows.order_by("id").values_list("id", flat=True)[:most])


def _unfinished(queue: str) -> QuerySet[Job]:
    rows = Job.objects.filter(queue=queue)
    return rows.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the states are ours)
