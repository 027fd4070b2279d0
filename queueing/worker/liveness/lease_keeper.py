"""Sends a worker's heartbeat and renews the leases of its claims, on a thread of its own.

A handler may block the event loop for longer than a lease. The leases of other jobs are renewed nevertheless.
"""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.outage_log import redis_outage
from queueing.worker.runs.active_runs import Claim

logger = logging.getLogger(__name__)

#: Seconds to wait for the thread when the worker stops: a call that Redis does not answer may take longer.
_STOP_TIMEOUT = 6.0


class LeaseKeeper:
    """The thread of one worker. `on_lost` is called on the event loop with the claims that Redis refused."""

    def __init__(
        self,
        claims: Mapping[Claim, str],
        heartbeat: Callable[[], dict[str, Any]],
        on_lost: Callable[[list[Claim]], None],
    ) -> None:
        self.redis_clock = presence.RedisClock()
        self._claims = claims
        self._heartbeat = heartbeat
        self._on_lost = on_lost
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End the thread. The leases are no longer renewed."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, _STOP_TIMEOUT)

    def _run(self) -> None:
        interval = get_conf().heartbeat
        wait = 0.0
        while not self._stopping.wait(wait):
            began = time.monotonic()
            try:
                self._beat()
                redis_outage.worked()
            except redis_client.Unavailable as exc:
                redis_outage.failed(exc)
            except Exception:
                logger.exception("the leases were not renewed; continuing")
            wait = max(0.2, interval - (time.monotonic() - began))

    def _beat(self) -> None:
        fields = self._heartbeat()
        self.redis_clock.set(redis_client.run(presence.heartbeat(fields["id"], fields)))
        by_queue: dict[str, list[Claim]] = defaultdict(list)
        for claim, queue in list(self._claims.items()):  # one step, which the loop's thread cannot interrupt
            by_queue[queue].append(claim)
        for queue, claims in by_queue.items():
            gone: list[str] = redis_client.run(scripts.renew(queue, claims))
            if gone and queue != DJANGO_Q_QUEUE:
                lost = [claim for claim in claims if claim[0] in set(gone)]
                self._loop.call_soon_threadsafe(self._on_lost, lost)
