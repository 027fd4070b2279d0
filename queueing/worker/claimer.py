"""The claims of a worker: which ones it holds, and the loop that claims jobs for its free slots."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from queueing.conf import get_conf
from queueing.record.availability import Availability
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.outage_log import redis_outage
from queueing.schedule.scripts import Claimed

from .abilities import Abilities
from .liveness.identity import Identity
from .runs.active_runs import Claim
from .runs.job_threads import JobThreads
from .wake import Wake

logger = logging.getLogger(__name__)

#: Seconds between attempts while Redis is unavailable.
_RETRY_DELAY = 1.0

#: Starts claimed jobs: the jobs, their token, and when they were claimed (monotonic clock).
Start = Callable[[list[Claimed], str, float], None]


class Claimer:
    """The claims of one worker. `start` gets the jobs that it has claimed."""

    def __init__(
        self, identity: Identity, wake: Wake, threads: JobThreads, availability: Availability, start: Start
    ) -> None:
        conf = get_conf()
        self.identity = identity
        self.claims: dict[Claim, str] = {}
        """The claims that the worker holds: (id, token) -> queue."""
        self.ended = 0
        """The number of claims that the worker held, and holds no more."""
        self._queues = sorted((conf.queues[q] for q in identity.queues), key=lambda q: q.priority)
        self.slots = conf.slots or sum(q.concurrency for q in self._queues)
        self.abilities = Abilities(identity.queues)
        self.channel = scripts.worker_channel(identity.id)
        self._wake = wake
        self._threads = threads
        self._availability = availability
        self._start = start
        self._number = 0

    async def run(self) -> None:
        """Claim jobs forever, also after Redis or the database was unavailable."""
        while True:
            await self._availability.wait()  # no job could begin
            self._wake.clear()
            try:
                again_in = await self._claim_once()
            except redis_client.Unavailable as exc:
                redis_outage.failed(exc)
                await asyncio.sleep(_RETRY_DELAY)
                continue
            if again_in != 0:
                await self._wake.wait(again_in)

    async def _claim_once(self) -> float | None:
        """Claim and start jobs. Return the seconds after which there may be more; None if unknown."""
        if self.identity.is_quiet:
            await presence.leave_idle(self.channel)
            return None
        # A function that runs on after its job was cancelled keeps a slot of the worker.
        left_behind = [claim for claim in self._threads.running_on() if claim not in self.claims]
        free = self.slots - len(self.claims) - len(left_behind)
        if free <= 0:
            return None
        self._number += 1
        token, claimed = f"{self.identity.id}/{self._number}", time.monotonic()
        terms = scripts.claim(
            self._queues,
            token,
            free,
            channel=self.channel,
            idle=True,
            busy=bool(self.claims),
            able=self.abilities.digests,
        )
        found = await redis_client.arun(terms)
        self.hold(found.jobs, token, claimed)
        # There may be more if it was full; fewer jobs were all, and claiming again would delay them.
        return 0.0 if len(found.jobs) == min(free, scripts.MAX_CLAIM_SIZE) else found.again_in

    async def leave(self) -> None:
        """Let no submission hand a job to the worker, which claims no more."""
        with suppress(*redis_client.Unavailable):  # it gives back what it is handed
            await presence.leave_idle(self.channel)

    def hold(self, jobs: list[Claimed], token: str, claimed: float) -> None:
        """Hold the claims of jobs, and start them."""
        for job in jobs:
            self.claims[job.id, token] = job.queue
        self._start(jobs, token, claimed)

    def free(self, claim: Claim) -> None:
        """Hold a claim no more. Wake the worker afterwards: it has a free slot."""
        self.claims.pop(claim, None)
        self.ended += 1

    def resize(self, slots: int) -> None:
        """Set how many jobs the worker may run at once."""
        if slots != self.slots:
            self.slots = slots
            self._wake.notify()

    def set_quiet(self, is_quiet: bool) -> None:
        """Claim no jobs until this is called with False. Active jobs continue."""
        if is_quiet != self.identity.is_quiet:
            self.identity.is_quiet = is_quiet
            logger.warning("worker %s %s", self.identity.id, "is quiet" if is_quiet else "claims jobs again")
            self._wake.notify()

    async def follow_operator(self) -> None:
        """Be quiet, or not any more, if an operator has asked for it."""
        with suppress(*redis_client.Unavailable):  # the next heartbeat looks again
            wish = await presence.take_quiet(self.identity.id)
            self.set_quiet(self.identity.is_quiet if wish is None else wish)

    async def look_for_parked_jobs(self) -> None:
        """Claim jobs that other workers could not do, if this one can."""
        with suppress(*redis_client.Unavailable):  # the next heartbeat looks again
            await self.abilities.refresh()
            if self.abilities.digests:
                self._wake.notify()
