"""The events that a client has missed, read from the record and from Redis."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from queueing.models import FailedAttempt, Job
from queueing.record.database_thread import in_thread
from queueing.record.run import as_result, as_run
from queueing.schedule import redis_client, scripts
from queueing.states import State

from . import progress
from .messages import Event, event_of, retrying_event, terminal_event
from .waits import standing

#: Texts read from Redis at a time.
_TEXTS_PER_READ = 100


async def catch_up(job_id: str, *, run: int | None = None, offset: int = 0) -> list[Event]:
    """Return the events that bring a client with `offset` characters of `run` to the present.

    Raise `Job.DoesNotExist`.
    """
    job, last = await in_thread(_read)(job_id)
    if job.is_finished:
        return [terminal_event(as_result(job))]
    if last:
        return [_retrying_event(job, last)]
    if job.state == State.ACTIVE:
        return await _events_of_active(job, run, offset)
    where = await standing.standing_of(job)
    return [event_of(job, "position", queue=job.queue, position=where.position, estimatedWait=where.wait)]


async def _events_of_active(job: Job, run: int | None, offset: int) -> list[Event]:
    events = [event_of(job, "started", run=job.run_count, attempt=job.attempts, of=job.max_attempts)]
    number, text = await text_so_far(job.id.hex)
    start = offset if number == run else 0
    if number == job.run_count and text[start:]:
        at = {"run": number, "attempt": job.attempts, "offset": start}
        events.append(event_of(job, "delta", **at, text=text[start:]))
    reported = (await progress.latest([job.id.hex])).get(job.id.hex)
    if reported and reported.run == job.run_count:
        events.append(event_of(job, "progress", **reported.fields))
    return events


async def text_so_far(job_id: str) -> tuple[int, str]:
    """Return (run, text) of an active answer; (0, "") when nothing is stored."""
    try:
        stored = await redis_client.aclient().get(scripts.stream_key(job_id))
    except redis_client.Unavailable:
        return 0, ""
    return scripts.parse_stream(stored)


def _read(job_id: str) -> tuple[Job, FailedAttempt | None]:
    """Return the row and, when it waits for another attempt, the one that failed."""
    job = Job.objects.get(pk=job_id)
    waits = job.state == State.DELAYED and not job.unfinished_parents
    return job, job.failed_attempts.last() if waits else None


def _retrying_event(job: Job, last: FailedAttempt) -> Event:
    """Return the event of the last attempt's failure, with the seconds that remain now."""
    delay = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    return retrying_event(
        as_run(job), attempt=last.number, delay=delay, reason=last.error, code=last.code or last.outcome
    )


class JobState(NamedTuple):
    """The state of a job now, in few words."""

    state: str
    run: int
    text_length: int
    """Characters streamed by that run and stored in Redis."""


async def job_states(ids: Sequence[str]) -> dict[str, JobState]:
    """Return the states of jobs by id; a job whose row was deleted counts as cancelled."""
    rows = await in_thread(_read_states)(ids)
    lengths = await _text_lengths([job_id for job_id, (state, _) in rows.items() if state == State.ACTIVE])
    states = {}
    for job_id in ids:
        state, run = rows.get(job_id, (str(State.CANCELLED), 0))
        text_run, length = lengths.get(job_id, (0, 0))
        states[job_id] = JobState(state, run, length if text_run == run else 0)
    return states


def _read_states(ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    rows = Job.objects.filter(id__in=ids).values_list("id", "state", "run_count")
    return {job_id.hex: (state, run) for job_id, state, run in rows}


async def _text_lengths(ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return (run, length) of the active answers by job id."""
    lengths: dict[str, tuple[int, int]] = {}
    try:
        for i in range(0, len(ids), _TEXTS_PER_READ):
            batch = ids[i : i + _TEXTS_PER_READ]
            texts: list[Any] = await redis_client.aclient().mget(
                [scripts.stream_key(job_id) for job_id in batch]
            )
            for job_id, stored in zip(batch, texts, strict=True):
                run, text = scripts.parse_stream(stored)
                lengths[job_id] = run, len(text)
    except redis_client.Unavailable:
        return {}
    return lengths
