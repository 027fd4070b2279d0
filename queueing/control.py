"""What owners and operators do to jobs and queues. Synchronous; the record first, then Redis."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from . import dependencies, events, redis, schedule
from .conf import get_queue
from .ending import tell_end
from .errors import WrongState
from .models import Job, Pause
from .states import TRANSITIONS, UNFINISHED, State
from .submit import put_all_in_schedule, take_place

logger = logging.getLogger(__name__)


def cancel(job_id: UUID | str) -> Job:
    """End an unfinished job, wherever it is. A worker that runs it drops it within a moment.

    Raises `Job.DoesNotExist`, or `WrongState` when it is over already.
    """
    text = _text_so_far(job_id)
    with transaction.atomic():
        won = Job.objects.filter(id=job_id, state__in=UNFINISHED).update(
            state=State.CANCELLED, finished_at=timezone.now(), run_at=None, pending=0, text=text
        )
        job = Job.objects.get(id=job_id)
        if not won:
            raise WrongState("cancel", job.state)
        tell_end(job)
        freed = dependencies.give_up([job.pk])
        transaction.on_commit(lambda: _schedule(freed))
    try:
        redis.run(schedule.remove(job.queue, [job.id.hex]))
    except redis.Unavailable as exc:
        logger.warning("job %s is cancelled; Redis hears of it later (%s)", job.id.hex, exc)
    events.emit_soon(job, "cancelled", text=text)
    return job


def _schedule(freed: Sequence[Job]) -> None:
    if freed:
        put_all_in_schedule(freed)


def _text_so_far(job_id: UUID | str) -> str:
    hexed = job_id.hex if isinstance(job_id, UUID) else UUID(job_id).hex
    try:
        kept = redis.client().get(schedule.stream_key(hexed)) or ""
    except redis.Unavailable:
        return ""
    return str(kept).partition("\x1f")[2]


def retry(job_id: UUID | str, *, after: Sequence[Job] = ()) -> Job:
    """Run a failed or cancelled job anew, with all its attempts, once all of `after` are over.

    What failed only because this job had waits for it again. Raises `Job.DoesNotExist`, or `WrongState`
    when it is neither.
    """
    starts_from, ends_in = TRANSITIONS["retry"]
    with transaction.atomic():
        won = Job.objects.filter(id=job_id, state__in=starts_from).update(
            state=ends_in, finished_at=None, attempts=0, stalls=0, error="", error_code="", text="", token=""
        )
        job = Job.objects.get(id=job_id)
        if not won:
            raise WrongState("retry", job.state)
        dependencies.queue_again(job, after)
        dependencies.revive([job.pk])
        transaction.on_commit(lambda: take_place(job))
    return job


def promote(job_id: UUID | str) -> Job:
    """Let a delayed job run now. Raises `Job.DoesNotExist`, or `WrongState` when it is not delayed."""
    won = Job.objects.filter(id=job_id, state=State.DELAYED, pending=0).update(
        state=State.WAITING, run_at=None
    )
    job = Job.objects.get(id=job_id)
    if not won:
        raise WrongState("promote", job.state)
    redis.run(schedule.promote(job.queue, [job.id.hex]))
    return job


def remove(job_id: UUID | str) -> None:
    """Delete a job that is not running, with its history. Raises as `promote` does."""
    job = Job.objects.get(id=job_id)
    with transaction.atomic():
        freed = [] if job.is_finished else dependencies.give_up([job.pk])
        won, _ = Job.objects.filter(id=job_id).exclude(state=State.ACTIVE).delete()
        if not won:
            raise WrongState("remove", State.ACTIVE)
        transaction.on_commit(lambda: _schedule(freed))
    redis.run(schedule.remove(job.queue, [job.id.hex]))


def pause(queue: str) -> None:
    """Start nothing more on the queue; what runs finishes. Twice is as good as once."""
    name = get_queue(queue).name
    Pause.objects.get_or_create(queue=name)
    redis.client().hset(schedule.queue_key(name, "meta"), "paused", "1")
    _ring(name)


def resume(queue: str) -> None:
    """Let a paused queue go on."""
    name = get_queue(queue).name
    Pause.objects.filter(queue=name).delete()
    redis.client().hdel(schedule.queue_key(name, "meta"), "paused")
    _ring(name)


def drain(queue: str) -> int:
    """Cancel everything that waits or is delayed; the number of jobs cancelled."""
    name = get_queue(queue).name
    drained = 0
    while ids := _some_idle(name):
        for job_id in ids:
            try:
                cancel(job_id)
                drained += 1
            except WrongState:
                continue  # it ended, or another operator was quicker
    return drained


def _some_idle(queue: str) -> Sequence[UUID]:
    rows = Job.objects.filter(queue=queue, state__in=(State.WAITING, State.DELAYED))
    return list(rows.order_by("id").values_list("id", flat=True)[:500])


def _ring(queue: str) -> None:
    redis.client().publish(schedule.channel(), f"wake:{queue}")
