"""The position of a job in line, and its expected wait."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from queueing.conf import QueueDef, get_queue
from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue, enqueue_all
from queueing.schedule.replies import Counts, Position
from queueing.states import State

from . import delay_reasons
from .forecast import Forecast, Range
from .recent_runs import RecentRuns, read_recent_runs, recent_runs


class Wait(NamedTuple):
    """Seconds until a job's start, as a range, and the reason for the wait."""

    low: float
    high: float
    reason: str


@dataclass(frozen=True)
class Standing:
    """A job's position and wait as clients see them."""

    position: int | None
    """1 is next in line, 0 is running; None is delayed, finished or unknown."""
    wait: dict[str, Any] | None
    """{low, high, reason}, seconds; None when nothing is known."""


#: The wait of a job that is not in line, because Redis is unavailable or full.
UNKNOWN_TO_REDIS: dict[str, Any] = {"low": None, "high": None, "reason": "redis"}


async def standing_of(job: Job) -> Standing:
    """Return the position and wait of `job` now."""
    if known := _known_of(job):
        return known
    if delay_reasons.is_delayed_by_submitter(job):
        waits = await in_thread(delay_reasons.expected_waits)([job.id])
        if wait := waits.get(job.id.hex):
            return Standing(None, wait)
    return (await standings(job.queue, [job.id.hex]))[0]


def enter_line(job: Job) -> Standing:
    """Put a committed job in line, unless it waits for other jobs, and return its standing there.

    One round trip to Redis. Never raises: reconciliation adds the job later if Redis is unavailable.
    """
    if known := _known_of(job):
        return known
    if delay_reasons.is_delayed_by_submitter(job):
        enqueue_all([job])
        return Standing(None, delay_reasons.expected_waits([job.id]).get(job.id.hex))
    queue = get_queue(job.queue)
    if not (replies := enqueue(job, _calls(queue, [job.id.hex]))):
        return Standing(None, UNKNOWN_TO_REDIS)
    positions, counts = replies
    try:
        return _standing(positions[0], queue, counts, read_recent_runs(queue.name))
    except redis_client.Unavailable:
        return Standing(None, UNKNOWN_TO_REDIS)


def _known_of(job: Job) -> Standing | None:
    """Return the standing of a job that is not in line; None if it may be."""
    if job.is_finished:
        return Standing(None, None)
    if job.unfinished_parents:
        reason = job.meta.get("afterReason", "previous_message")
        return Standing(None, {"low": None, "high": None, "reason": reason})
    return None


def _calls(queue: QueueDef, ids: Sequence[str]) -> list[redis_client.ScriptCall[Any]]:
    return [scripts.positions(queue.name, ids), scripts.counts(queue.name, limiter=queue.limiter)]


async def standings(queue_name: str, ids: Sequence[str]) -> list[Standing]:
    """Return the standings of some hundred jobs of one queue, in order, with one round trip to Redis."""
    queue = get_queue(queue_name)
    try:
        positions, counts = await redis_client.arun_many(_calls(queue, ids))
        recent = await recent_runs(queue.name)
    except redis_client.Unavailable:
        return [Standing(None, UNKNOWN_TO_REDIS)] * len(ids)
    return [_standing(position, queue, counts, recent) for position in positions]


def _standing(position: Position | None, queue: QueueDef, counts: Counts, recent: RecentRuns) -> Standing:
    if position is None:
        return Standing(None, None)
    if position.state == State.ACTIVE:
        return Standing(0, None)
    if position.failing:
        return Standing(None, _as_json(Wait(position.due, math.inf, "provider")))
    if position.state == State.DELAYED:
        return Standing(None, _as_json(Wait(position.due, position.due, "delayed")))
    if position.unable:
        return Standing(position.ahead + 1, _as_json(Wait(math.inf, math.inf, "workers")))
    wait = estimate(queue, counts, recent.forecast, recent.clusters, position.ahead)
    if position.limit and (wait is None or math.isfinite(wait.high)):
        wait = Wait(0.0, math.inf, f"limit:{position.limit}")
    return Standing(position.ahead + 1, wait and _as_json(wait))


def _as_json(wait: Wait) -> dict[str, Any]:
    low = round(wait.low) if math.isfinite(wait.low) else None
    high = math.ceil(wait.high) if math.isfinite(wait.high) else None
    return {"low": low, "high": high, "reason": wait.reason}


def estimate(queue: QueueDef, counts: Counts, forecast: Forecast, clusters: int, ahead: int) -> Wait | None:
    """Return how long a job with `ahead` others before it waits for its start; None when no job has run yet.

    Slots: the forecast, of which four in five ranges hold. Limiter: the moment its window lets the job start.
    A cooldown comes before. While the provider does not answer, only the next try is known.
    """
    if counts.paused:
        return Wait(math.inf, math.inf, "paused")
    if not clusters:
        return Wait(math.inf, math.inf, "workers")
    if counts.outage:
        return Wait(counts.cooldown, math.inf, "provider")
    queue = counts.under(queue)
    capacity = max(1, queue.concurrency) * clusters  # 0: not served by the clusters of this environment
    if queue.global_concurrency:
        capacity = min(capacity, queue.global_concurrency)
    limited = _limiter_wait(queue, counts, ahead)
    start = forecast.start_of(ahead, active=counts.active, capacity=capacity)
    if start is None and not limited[1]:
        return None
    slots = start or Range(0.0, 0.0)
    low = max(counts.cooldown + slots.low, limited[0])
    high = max(counts.cooldown + slots.high, limited[1])
    if limited[1] >= high > counts.cooldown:
        return Wait(low, high, "rate_limit")
    return Wait(low, high, "provider" if 2 * counts.cooldown >= high > 0 else "queue")


def _limiter_wait(queue: QueueDef, counts: Counts, ahead: int) -> tuple[float, float]:
    """Return the minimum and maximum seconds until the window lets the job after `ahead` others start.

    Counting the window's starts and then the jobs in line, number n starts one window after number
    n − max. Of the starts in the window only the first one's age is known; the others are younger.
    """
    if not queue.limiter:
        return 0.0, 0.0
    windows, number = divmod(counts.limiter_starts + ahead, queue.limiter.max)
    if not windows:
        return 0.0, 0.0
    longest = windows * queue.limiter.duration
    if number >= counts.limiter_starts:
        return longest, longest
    shortest = max(0.0, longest - counts.first_start)
    return shortest, shortest if number == 0 else longest
