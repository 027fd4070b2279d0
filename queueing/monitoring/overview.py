"""The state of the queues: counts, limits, recent statistics, and the active jobs."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from queueing.conf import QueueDef, get_conf
from queueing.events import progress
from queueing.limits import backpressure
from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import needs, redis_client, scripts
from queueing.schedule.presence import limits_of_workers, presence
from queueing.states import State

from . import statistics
from .demand import demand


async def queue_overview() -> dict[str, Any]:
    """Return counts, pressure, limits and recent statistics of every queue, and the workers. No payloads."""
    recent = await in_thread(statistics.summary)()
    try:
        alive, lost = await presence()
        queues = [await _summary(q, alive) | recent.get(q.name, {}) for q in get_conf().queues.values()]
        unable = await _unable(alive)
        for queue in queues:
            queue["unable"] = sum(row["jobs"] for row in unable if row["queue"] == queue["name"])
        return {
            "redis": "ok",
            "queues": queues,
            "workers": alive,
            "lostClusters": [
                {name: worker.get(name) for name in ("cluster", "host", "age")} for worker in lost
            ],
            "unable": unable,
        }
    except redis_client.Unavailable as exc:
        queues = [{"name": queue} | recent.get(queue, {}) for queue in get_conf().queues]
        unknown: dict[str, Any] = {"workers": [], "lostClusters": [], "unable": []}
        return {"redis": f"unavailable: {type(exc).__name__}", "queues": queues} | unknown


def without_machines(overview: dict[str, Any]) -> dict[str, Any]:
    """Return an overview as all people may see it: with counts, without hosts, processes and versions."""
    workers = [{"running": worker["running"], "slots": worker["slots"]} for worker in overview["workers"]]
    unable = [{name: row[name] for name in ("queue", "jobs", "workers")} for row in overview["unable"]]
    public: dict[str, Any] = {"workers": workers, "unable": unable}
    public["lostClusters"] = [{"age": cluster["age"]} for cluster in overview["lostClusters"]]
    if "reasons" in overview:
        reasons = [reason for reason in overview["reasons"] if reason["of"] == "queues"]
        public["reasons"] = [{name: r[name] for name in ("level", "code", "queue")} for r in reasons]
    return overview | public


async def _unable(alive: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, for each need that workers did not meet, the jobs that wait and the workers that meet it."""
    found = []
    for digest, need in (await needs.parked_needs()).items():
        jobs = await needs.jobs_parked(need.queue, digest)
        able = sum(digest in worker.get("needs", ()) for worker in alive)
        found.append(need._asdict() | {"jobs": jobs, "workers": able})
    return [row for row in found if row["jobs"]]


async def _summary(queue: QueueDef, alive: list[dict[str, Any]]) -> dict[str, Any]:
    by_worker = limits_of_workers(queue, alive)
    queue = by_worker[0] if len(by_worker) == 1 else queue
    counts = await redis_client.arun(scripts.counts(queue.name, limiter=queue.limiter))
    kept = [
        await redis_client.aclient().zcard(scripts.queue_key(queue.name, end))
        for end in ("completed", "failed")
    ]
    now = counts.under(queue)
    limiter = now.limiter
    return {
        "name": queue.name,
        "priority": queue.priority,
        "provider": queue.provider,
        "concurrency": now.concurrency,
        "globalConcurrency": now.global_concurrency,
        "ownerConcurrency": now.owner_concurrency,
        "overridden": sorted(counts.changed),
        "limitsDiffer": len(by_worker) > 1,
        "softLimit": queue.soft_limit,
        "hardLimit": queue.hard_limit,
        "kept": {"completed": kept[0], "failed": kept[1]},
        "waiting": counts.waiting,
        "active": counts.active,
        "delayed": counts.delayed,
        "paused": counts.paused,
        "pressure": backpressure.level(queue, counts.unfinished),
        "cooldown": counts.cooldown,
        "outage": counts.outage,
        "demand": demand(counts, now),
        "oldestWaiting": counts.oldest,
        "limiter": limiter
        and {"max": limiter.max, "duration": limiter.duration, "used": counts.limiter_starts},
    }


async def active_jobs(queue: str = "", most: int = 50, *, contents: bool = False) -> list[dict[str, Any]]:
    """Return active jobs of one queue, or of all, at most `most` of each queue; the latest start first.

    Tags, and labels of progress, may quote payloads, so they are included only with `contents`. The list is
    empty while Redis is unavailable.
    """
    ids: list[str] = []
    try:
        for name in [queue] if queue else get_conf().queues:
            ids += await redis_client.aclient().zrange(scripts.queue_key(name, "active"), 0, most - 1)
    except redis_client.Unavailable:
        return []
    steps = await progress.latest(ids)
    rows = await in_thread(_running)(ids)
    return [_as_running(job, steps.get(job.id.hex), contents) for job in rows]


def _running(ids: Sequence[str]) -> list[Job]:
    rows = Job.objects.filter(id__in=ids, state=State.ACTIVE, started_at__isnull=False)
    return list(rows.order_by("-started_at").defer("args", "result", "text").prefetch_related("tags"))


def _as_running(job: Job, step: progress.Progress | None, contents: bool) -> dict[str, Any]:
    shown = step.fields if step and step.run == job.run_count else None
    if shown and not contents:
        shown = {name: value for name, value in shown.items() if name != "label"}
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
        "tags": [tag.tag for tag in job.tags.all()] if contents else [],
        "progress": shown,
    }
