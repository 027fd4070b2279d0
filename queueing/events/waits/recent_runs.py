"""What forecasts need to know of a queue, read at most once a second by each process."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.utils import timezone

from queueing.conf import EngineConf, get_conf
from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.schedule.presence import clusters_alive
from queueing.states import State

from .forecast import Forecast

#: Seconds for which what was read is used.
_FRESH = 1.0
#: Active jobs whose times are read; the others of a queue with more count as just started.
_MAX_ACTIVE = 200


@dataclass
class RecentRuns:
    """The forecast of a queue, and the number of clusters that run its jobs."""

    forecast: Forecast
    clusters: int
    read_at: float


class _Known:
    """What was read, by queue, under the present settings."""

    conf: EngineConf | None = None
    by_queue: ClassVar[dict[str, RecentRuns]] = {}


async def recent_runs(queue: str) -> RecentRuns:
    """Return the recent runs of `queue`. Raise `redis_client.Unavailable`."""
    return _fresh(queue) or await in_thread(_read)(queue)


def read_recent_runs(queue: str) -> RecentRuns:
    """Do `recent_runs` in synchronous code."""
    return _fresh(queue) or _read(queue)


def _fresh(queue: str) -> RecentRuns | None:
    if _Known.conf is not get_conf():
        _Known.conf, _Known.by_queue = get_conf(), {}
    known = _Known.by_queue.get(queue)
    if known and time.monotonic() < known.read_at + _FRESH:
        return known
    if known:
        known.read_at = time.monotonic()  # callers during the reading use what is known
    return None


def _read(queue: str) -> RecentRuns:
    every = _Known.by_queue  # of the settings with which it is read
    pipeline = redis_client.client().pipeline(transaction=False)
    pipeline.lrange(scripts.queue_key(queue, "durations"), 0, -1)
    pipeline.zrange(scripts.queue_key(queue, "active"), 0, _MAX_ACTIVE - 1)
    durations, active = pipeline.execute()
    running = _seconds_running(active) if active else []
    forecast = Forecast([int(ms) / 1000 for ms in durations], running)
    found = every[queue] = RecentRuns(forecast, clusters_alive(queue), time.monotonic())
    return found


def _seconds_running(ids: Sequence[str]) -> list[float]:
    now = timezone.now()
    rows = Job.objects.filter(id__in=[UUID(job_id) for job_id in ids], state=State.ACTIVE)
    starts = rows.values_list("started_at", flat=True)
    return [max(0.0, (now - start).total_seconds()) for start in starts if start]
