"""A worker process that runs one suspect, alone, and then ends: what kills the process is then known."""

import asyncio
import time

from queueing.conf import get_queue
from queueing.recovery import suspects
from queueing.recovery.suspects import Suspect
from queueing.schedule import redis_client, scripts
from queueing.schedule.outage_log import redis_outage

from .process import Worker

#: Seconds after which a prober looks again for a suspect that may start.
_LOOK_AGAIN = 2.0


class Prober(Worker):
    """A worker for one suspect. Without any suspect it ends at once."""

    async def _claim_forever(self) -> None:
        while not await self._claim_one():
            await self._notifier.wait(_LOOK_AGAIN)
            self._notifier.clear()
        while self.claims:
            await self._notifier.wait(_LOOK_AGAIN)
            self._notifier.clear()
        self.stopping.set()
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
        self._start(found.jobs, token, claimed)
        return bool(found.jobs)

    async def look_for_parked_jobs(self) -> None:
        """Do nothing: this process runs no other job."""

    def resize(self, slots: int) -> None:
        """Do nothing: this process runs one job."""
