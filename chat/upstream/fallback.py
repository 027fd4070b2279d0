"""Choose the model: the configured first one, or the fallback while the first cannot answer.

A failure that another model would not have (`COOLDOWN_SECONDS`) pauses the first model for all workers, and
the fallback answers meanwhile. A requested wait does so only when it is long: after a short one every job
waits, as without a fallback. One answer comes from one model: a failure after its first word is not
continued by the other model but retried from the start.
"""

import hashlib
import logging
from dataclasses import replace

from chat.prompting.prompt import ModelRequest
from chat.upstream.client import Provider
from chat.upstream.stream import ReplyCallbacks, stream_from
from queueing.api import Cooldown, JobError, Retry, redis

from . import texts
from .draft import ModelReply

logger = logging.getLogger(__name__)

#: Seconds that the first model is paused after a failure, by error code; longer if the provider requests it.
COOLDOWN_SECONDS = {
    "provider_error": 10.0,
    "cut_off": 10.0,
    "provider_unreachable": 30.0,
    "provider_timeout": 60.0,
    "no_model": 300.0,
    "no_quota": 300.0,
}
#: Maximum requested wait, in seconds, after which jobs wait instead of using the fallback.
SHORT_WAIT = 10.0
#: Errors of the fallback's own configuration. They must not replace the first model's error.
_MISCONFIGURED = {"no_model", "no_quota", "not_configured", "bad_request"}


async def stream_reply(request: ModelRequest, callbacks: ReplyCallbacks) -> ModelReply:
    """Return the answer of the first model or the fallback. Raises as `stream_from` does."""
    first, second = Provider.from_settings(), Provider.fallback()
    if second is None:
        return await stream_from(first, request, callbacks)
    started = False

    def forward(text: str) -> None:
        nonlocal started
        started = True
        callbacks.on_text(text)

    watched = replace(callbacks, on_text=forward)
    first_error = await _cooldown_error(first)
    if first_error is None:
        try:
            return await stream_from(first, request, watched)
        except JobError as exc:
            seconds = _cooldown_after(exc)
            if seconds:
                await _start_cooldown(first, seconds, exc)
            if started or not seconds:
                raise
            first_error = exc
    try:
        return replace(await stream_from(second, request, watched), by_fallback=True)
    except JobError as exc:
        if exc.code in _MISCONFIGURED and not started:
            raise first_error from exc
        raise


def _cooldown_after(exc: JobError) -> float:
    """Return the seconds to pause the first model; 0 when the fallback would not help or is not needed."""
    if isinstance(exc, Cooldown):
        return exc.after if exc.after > SHORT_WAIT else 0.0
    if exc.code not in COOLDOWN_SECONDS:
        return 0.0
    requested = exc.after if isinstance(exc, Retry) else 0.0
    return max(COOLDOWN_SECONDS[exc.code], requested)


def _key(provider: Provider) -> str:
    digest = hashlib.sha256(f"{provider.base_url} {provider.model}".encode()).hexdigest()[:16]
    return redis.app_key(f"model_cooldown:{digest}")


async def _cooldown_error(provider: Provider) -> JobError | None:
    """Return the error to raise if the fallback cannot answer either, or None without a cooldown."""
    if not (left := await cooldown_left(provider)):
        return None
    return Cooldown(texts.PAUSED, after=left)


async def cooldown_left(provider: Provider) -> float:
    """Return the seconds left of the provider's pause; 0 without one and while Redis is unavailable."""
    try:
        return max(0, await redis.aclient().pttl(_key(provider))) / 1000
    except redis.Unavailable:
        return 0.0


async def _start_cooldown(provider: Provider, seconds: float, exc: JobError) -> None:
    logger.warning("the first model is paused for %g s (%s); the fallback answers", seconds, exc.code)
    try:
        # Another worker may have started a longer cooldown a moment ago: never shorten it.
        if await redis.aclient().pttl(_key(provider)) < seconds * 1000:
            await redis.aclient().set(_key(provider), 1, px=round(seconds * 1000))
    except redis.Unavailable as unavailable:
        logger.warning("Redis is unavailable (%s): other workers do not learn of the pause", unavailable)
