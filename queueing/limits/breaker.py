"""The breaker of a provider that has a substitute, so that no queue waits for it."""

import logging
from typing import NamedTuple

from queueing.errors import JobError, Outage
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import BreakerState, ProviderEnd

logger = logging.getLogger(__name__)


class Admission(NamedTuple):
    """Whether a call may go to the provider."""

    allowed: bool
    is_watched: bool = False
    """Whether a success of the call must be reported, because the provider has failed recently."""
    wait: float = 0.0
    """Seconds until the next call may."""


class Breaker:
    """A breaker, shared by all workers under its `name`. It opens and closes like the breaker of a queue."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def admit(self, caller: str) -> Admission:
        """Return whether `caller` may call the provider now. Without Redis every caller may."""
        try:
            wait = await redis_client.arun(scripts.admit(self._name, caller))
        except redis_client.Unavailable:
            return Admission(allowed=True)
        return Admission(allowed=wait <= 0, is_watched=wait == 0, wait=max(0.0, wait))

    async def report(self, caller: str, error: JobError | None = None, *, wait: float = 0.0) -> None:
        """Report a success, or the `error` of a call. With `wait` (seconds) the breaker opens at once."""
        end = ProviderEnd(caller, "ok" if error is None else _cause(error, wait), wait)
        try:
            await redis_client.arun(scripts.report(self._name, (), [end]))
        except redis_client.Unavailable as exc:
            logger.warning("Redis is unavailable (%s): a call was not reported to the breaker", exc)

    async def state(self) -> BreakerState:
        """Return the state of the breaker. Without Redis it is closed."""
        try:
            return await redis_client.arun(scripts.breaker_state(self._name))
        except redis_client.Unavailable:
            return BreakerState("", 0.0, 0.0)


def _cause(error: JobError, wait: float) -> str:
    if wait:
        return "cooldown"
    return "outage" if isinstance(error, Outage) and error.certain else "maybe"
