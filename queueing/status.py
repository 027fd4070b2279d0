"""Where a job stands and how long it may take; how the queues are."""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from channels.db import database_sync_to_async
from django.utils import timezone

from . import held, pressure, progress, redis, schedule, statistics
from .conf import QueueDef, get_conf, get_queue
from .counts import Counts, Place
from .models import Job
from .states import State


class Wait(NamedTuple):
    """Seconds until a start, as a range, and what the range is made of."""

    low: float
    high: float
    reason: str


@dataclass(frozen=True)
class Standing:
    """A job's place as clients are told it."""

    position: int | None
    """1 is next, 0 runs, None is delayed, over or unknown."""
    wait: dict[str, Any] | None
    """{low, high, reason}, seconds; None when nothing is known."""


async def place(job: Job) -> Standing:
    """Where `job` stands now."""
    if job.is_finished:
        return Standing(None, None)
    if job.pending:
        reason = job.meta.get("afterReason", "turn")
        return Standing(None, {"low": None, "high": None, "reason": reason})
    if held.is_held(job):
        waits = await database_sync_to_async(held.waits, thread_sensitive=False)([job.id])
        if wait := waits.get(job.id.hex):
            return Standing(None, wait)
    return (await places(job.queue, [job.id.hex]))[0]


async def places(queue_name: str, ids: Sequence[str]) -> list[Standing]:
    """Where jobs of one queue stand now: a handful of calls, however many they are (up to some hundred)."""
    queue = get_queue(queue_name)
    try:
        found = await redis.arun(schedule.places(queue.name, ids))
        counts = await redis.arun(schedule.counts(queue.name, limiter=queue.limiter))
        runs = [int(ms) / 1000 for ms in await _runs(queue.name)]
        alive = await clusters_alive()
    except redis.Unavailable:
        return [Standing(None, {"low": None, "high": None, "reason": "redis"})] * len(ids)
    runs.sort()
    return [_standing(where, queue, counts, runs, alive) for where in found]


def _standing(
    where: Place | None, queue: QueueDef, counts: Counts, runs: list[float], alive: int
) -> Standing:
    if where is None:
        return Standing(None, None)
    if where.state == State.ACTIVE:
        return Standing(0, None)
    if where.state == State.DELAYED:
        return Standing(None, _as_json(Wait(where.due, where.due, "delayed")))
    wait = estimate(queue, counts, runs, alive, where.ahead)
    return Standing(where.ahead + 1, wait and _as_json(wait))


def _as_json(wait: Wait) -> dict[str, Any]:
    known = math.isfinite(wait.high)
    low, high = (round(wait.low), math.ceil(wait.high)) if known else (None, None)
    return {"low": low, "high": high, "reason": wait.reason}


def estimate(queue: QueueDef, counts: Counts, runs: list[float], clusters: int, ahead: int) -> Wait | None:
    """How long a job with `ahead` others before it waits for its start.

    Slots: the (ahead + 1 − free)th end among `capacity` parallel runs, each between the first and the
    third quartile of the recent `runs` (seconds, sorted). Limiter: the moment its window lets the job start.
    A cooldown is the least wait. None when nothing has run yet.
    """
    if counts.paused:
        return Wait(math.inf, math.inf, "paused")
    if not clusters:
        return Wait(math.inf, math.inf, "workers")
    queue = counts.under(queue)
    capacity = queue.concurrency * clusters
    if queue.global_concurrency:
        capacity = min(capacity, queue.global_concurrency)
    behind = max(0, ahead + 1 - max(0, capacity - counts.active))
    limited = _limiter_wait(queue, counts, ahead)
    if behind and not runs and not limited[1]:
        return None
    ordered = runs or [0.0]
    quick, slow = ordered[len(ordered) // 4], ordered[len(ordered) * 3 // 4]
    low = max(behind / capacity * quick, limited[0], counts.cooldown)
    high = max(math.ceil(behind / capacity) * slow, limited[1], counts.cooldown)
    reason = (
        "provider" if counts.cooldown >= high > 0 else "rate_limit" if limited[1] >= high > 0 else "queue"
    )
    return Wait(low, high, reason)


def _limiter_wait(queue: QueueDef, counts: Counts, ahead: int) -> tuple[float, float]:
    """Seconds, at least and at most, until the sliding window lets the job after `ahead` others start.

    Counting the window's starts and then the jobs in line, number n starts one window after number
    n − max. Of the starts in the window only the first one's age is known; the others are younger.
    """
    if not queue.limiter:
        return 0.0, 0.0
    windows, number = divmod(counts.starts + ahead, queue.limiter.max)
    if not windows:
        return 0.0, 0.0
    longest = windows * queue.limiter.duration
    if number >= counts.starts:
        return longest, longest
    shortest = max(0.0, longest - counts.first_start)
    return shortest, shortest if number == 0 else longest


async def _runs(queue: str) -> list[str]:
    return list(await redis.aclient().lrange(schedule.queue_key(queue, "runs"), 0, -1))


async def workers() -> list[dict[str, Any]]:
    """The worker processes that have a fresh heartbeat, each with its `age` in seconds."""
    found = []
    for text in (await redis.aclient().hgetall(schedule.key("workers"))).values():
        worker = json.loads(text)
        worker["age"] = round(max(0.0, time.time() - worker["at"]), 1)
        if worker["age"] < get_conf().lease:
            found.append(worker)
    return sorted(found, key=lambda worker: worker["id"])


async def workers_alive() -> int:
    """How many worker processes have a fresh heartbeat."""
    return len(await workers())


async def clusters_alive() -> int:
    """How many clusters those belong to."""
    return len({worker["cluster"] for worker in await workers()})


async def overview() -> dict[str, Any]:
    """Counts, pressure, limits and recent figures of every queue, and the workers: no job's contents."""
    figures = await database_sync_to_async(statistics.summary, thread_sensitive=False)()
    try:
        queues = [await _summary(q) | figures.get(q.name, {}) for q in get_conf().queues.values()]
        return {"redis": "ok", "queues": queues, "workers": await workers()}
    except redis.Unavailable as exc:
        queues = [{"name": queue} | figures.get(queue, {}) for queue in get_conf().queues]
        return {"redis": f"unavailable: {type(exc).__name__}", "queues": queues, "workers": []}


async def _summary(queue: QueueDef) -> dict[str, Any]:
    counts = await redis.arun(schedule.counts(queue.name, limiter=queue.limiter))
    kept = [
        await redis.aclient().zcard(schedule.queue_key(queue.name, end)) for end in ("completed", "failed")
    ]
    now = counts.under(queue)
    limiter = now.limiter
    return {
        "name": queue.name,
        "priority": queue.priority,
        "concurrency": now.concurrency,
        "globalConcurrency": now.global_concurrency,
        "ownerConcurrency": now.owner_concurrency,
        "overridden": sorted(counts.changed),
        "softLimit": queue.soft_limit,
        "hardLimit": queue.hard_limit,
        "kept": {"completed": kept[0], "failed": kept[1]},
        "waiting": counts.waiting,
        "active": counts.active,
        "delayed": counts.delayed,
        "paused": counts.paused,
        "pressure": pressure.level(queue, counts.unfinished),
        "cooldown": counts.cooldown,
        "oldestWaiting": counts.oldest,
        "limiter": limiter and {"max": limiter.max, "duration": limiter.duration, "used": counts.starts},
    }


async def active(queue: str = "", most: int = 50, *, contents: bool = False) -> list[dict[str, Any]]:
    """The running jobs of `queue` or of all, or `most` of each queue, those that began last first.

    What a step is called may quote what the job is about: it is told only with `contents`. Nothing is known
    while Redis is away.
    """
    ids: list[str] = []
    try:
        for name in [queue] if queue else get_conf().queues:
            ids += await redis.aclient().zrange(schedule.queue_key(name, "active"), 0, most - 1)
    except redis.Unavailable:
        return []
    steps = await progress.latest(ids)
    rows = await database_sync_to_async(_running, thread_sensitive=False)(ids)
    return [_as_running(job, steps.get(job.id.hex), contents) for job in rows]


def _running(ids: Sequence[str]) -> list[Job]:
    rows = Job.objects.filter(id__in=ids, state=State.ACTIVE, started_at__isnull=False)
    return list(rows.order_by("-started_at").defer("args", "result", "text"))


def _as_running(job: Job, step: progress.Step | None, contents: bool) -> dict[str, Any]:
    said = step.said if step and step.run == job.runs else None
    if said and not contents:
        said = {name: value for name, value in said.items() if name != "label"}
    ran = (timezone.now() - job.started_at).total_seconds() if job.started_at else 0.0
    return {
        "id": job.id.hex,
        "queue": job.queue,
        "kind": job.kind,
        "worker": job.token.rpartition("/")[0],
        "attempt": job.attempts,
        "of": job.max_attempts,
        "startedAt": job.started_at.isoformat() if job.started_at else None,
        "seconds": round(max(0.0, ran), 1),
        "owner": hashlib.sha256(job.owner.encode()).hexdigest()[:8] if job.owner else "",
        "progress": said,
    }
