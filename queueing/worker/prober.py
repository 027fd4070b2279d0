"""The claims of a prober, a worker process that runs one suspect, alone, and then ends.

What kills the process is then known.
"""

import asyncio
import time
from typing import Any

from queueing.conf import get_queue
from queueing.record.database_thread import DatabaseThread
from queueing.recovery import suspects
from queueing.recovery.suspects import Suspect
from queueing.schedule import redis_client, scripts
from queueing.schedule.outage_log import redis_outage

from .claimer import Claimer

#: Seconds after which a prober looks again for a suspect that may start.
_LOOK_AGAIN = 2.0


class SuspectClaimer(Claimer):
    """Claims one suspect, and sets `stopping` when that has ended. Without any suspect it does so at once."""

    def __init__(self, *parts: Any, database: DatabaseThread, stopping: asyncio.Event) -> None:
        super().__init__(*parts)
        self._database = database
        self._stopping = stopping

    async def run(self) -> None:
        """Claim one suspect, and wait for its end."""
        while not await self._claim_one():
            await self._wake.wait(_LOOK_AGAIN)
            self._wake.clear()
        while self.claims:
            await self._wake.wait(_LOOK_AGAIN)
            self._wake.clear()
        self._stopping.set()
        await asyncio.Event().wait()  # until the worker ends this task, as all others

    async def _claim_one(self) -> bool:
        """Claim the first suspect that may start. Return True if there was one, or if none is left."""
        try:
            waiting = await suspects.waiting(self._database, self.identity.queues)
            self.identity.expect_suspects(len(waiting))
            for number, suspect in enumerate(waiting, 1):
                if await self._claim(suspect):
                    self.identity.expect_suspects(len(waiting) - number)
                    return True
        except redis_client.Unavailable as exc:
            redis_outage.failed(exc)
            return False
        return not waiting

    async def _claim(self, suspect: Suspect) -> bool:
        token, claimed = scripts.alone_token(self.identity.id), time.monotonic()
        found = await redis_client.arun(scripts.claim_suspect(get_queue(suspect.queue), token, suspect.entry))
        self.hold(found.jobs, token, claimed)
        return bool(found.jobs)

    async def look_for_parked_jobs(self) -> None:
        """Do nothing: this process runs no other job."""

    def resize(self, slots: int) -> None:
        """Do nothing: this process runs one job."""
