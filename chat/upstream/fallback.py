"""Who is asked: the model that is set up, or another one while that cannot answer.

A failure that another model would not have (`RESTS`) lets the first one rest, for all workers, and the
fallback answers meanwhile. Being asked to wait is one only when the wait is long: a short one is waited out
by everybody, as without a fallback. An answer is one model's: what fails after its first word is tried anew.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chat.upstream.client import Provider
from chat.upstream.stream import stream_from
from queueing.api import Cooldown, JobError, Retry, redis

from .parse import Reply

logger = logging.getLogger(__name__)

#: Seconds that the first model is left alone after a failure, by what it was; longer if it asks for that.
RESTS = {
    "provider_error": 10.0,
    "cut_off": 10.0,
    "provider_unreachable": 30.0,
    "provider_timeout": 60.0,
    "no_model": 300.0,
    "no_quota": 300.0,
}
#: Seconds up to which a wait that the provider asks for is waited out rather than going elsewhere.
SHORT_WAIT = 10.0
#: What is wrong with the fallback's own set-up. It must not make things worse than having none.
_NOT_SET_UP = {"no_model", "no_quota", "not_configured", "bad_request"}


async def stream_reply(*, on_text: Callable[[str], None], **asked: Any) -> Reply:
    """Have the model, or the fallback, answer; takes what `stream_from` does, and raises as it does."""
    first, second = Provider.from_settings(), Provider.fallback()
    if second is None:
        return await stream_from(first, on_text=on_text, **asked)
    begun = False

    def noted(text: str) -> None:
        nonlocal begun
        begun = True
        on_text(text)

    trouble = await _resting(first)
    if trouble is None:
        try:
            return await stream_from(first, on_text=noted, **asked)
        except JobError as exc:
            rest = _rest_after(exc)
            if rest:
                await _let_rest(first, rest, exc)
            if begun or not rest:
                raise
            trouble = exc
    try:
        return replace(await stream_from(second, on_text=noted, **asked), by_fallback=True)
    except JobError as exc:
        if exc.code in _NOT_SET_UP and not begun:
            raise trouble from exc
        raise


def _rest_after(exc: JobError) -> float:
    """Seconds for the first model to rest; 0 when another one could do no better, or need not."""
    if isinstance(exc, Cooldown):
        return exc.after if exc.after > SHORT_WAIT else 0.0
    asked = exc.after if isinstance(exc, Retry) else 0.0
    return max(RESTS[exc.code], asked) if exc.code in RESTS else 0.0


def _key(provider: Provider) -> str:
    who = hashlib.sha256(f"{provider.base_url} {provider.model}".encode()).hexdigest()[:16]
    return redis.key(f"rests:{who}")


async def _resting(provider: Provider) -> JobError | None:
    """None when it may be asked; else what is to be told if nobody else can answer."""
    if not (left := await rest_left(provider)):
        return None
    return Cooldown("The companion's model is resting; it will go on shortly.", after=left)


async def rest_left(provider: Provider) -> float:
    """Seconds for which the provider is still left alone; 0 when it is asked, and while Redis is away."""
    try:
        return max(0, await redis.aclient().pttl(_key(provider))) / 1000
    except redis.Unavailable:
        return 0.0


async def _let_rest(provider: Provider, seconds: float, exc: JobError) -> None:
    logger.warning("the first model rests for %g s (%s); the fallback answers", seconds, exc.code)
    try:
        # Not shortened by what another worker heard a moment ago.
        if await redis.aclient().pttl(_key(provider)) < seconds * 1000:
            await redis.aclient().set(_key(provider), 1, px=round(seconds * 1000))
    except redis.Unavailable as away:
        logger.warning("Redis is away (%s): other workers find out for themselves", away)
