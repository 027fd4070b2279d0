"""Choose the model: the configured first one, or the fallback while the first cannot answer.

The first model has a breaker (`queueing.api.Breaker`): while it is open, the fallback answers, and one call
from time to time tries the first model. One that fails there is answered by the fallback at once. A requested
wait opens the breaker only when it is long: after a short one every job waits, as without a fallback. One
answer comes from one model: after a failure later than the first word, the other model does not continue the
text. The job is retried from the start, and the fallback makes that attempt.
"""

import hashlib
import logging
from dataclasses import replace

from chat.prompting.prompt import ModelRequest
from chat.upstream.client import Provider
from chat.upstream.stream import ReplyCallbacks, stream_from
from queueing.api import Breaker, Cooldown, JobError

from . import texts
from .draft import ModelReply

logger = logging.getLogger(__name__)

#: Errors of the first model that a fallback would not have, by code.
REPLACED = {"provider_error", "provider_timeout", "provider_unreachable", "cut_off", "garbled"}
#: Seconds without the first model after errors that do not pass by themselves, by code.
ACCOUNT_WAITS = {"no_model": 300.0, "no_quota": 300.0}
#: Maximum requested wait, in seconds, after which jobs wait instead of using the fallback.
SHORT_WAIT = 10.0
#: Errors of the fallback's own configuration. They must not replace the first model's error.
_MISCONFIGURED = {"no_model", "no_quota", "not_configured", "bad_request"}


async def stream_reply(request: ModelRequest, callbacks: ReplyCallbacks) -> ModelReply:
    """Return the answer of the first model or the fallback. Raises as `stream_from` does."""
    first, second = Provider.from_settings(), Provider.fallback()
    if second is None:
        return await stream_from(first, request, callbacks)
    answer = _Answer(callbacks)
    reply = await _from_first(first, request, answer)
    if isinstance(reply, ModelReply):
        return reply
    try:
        return replace(await stream_from(second, request, answer.callbacks), by_fallback=True)
    except JobError as exc:
        if exc.code in _MISCONFIGURED and not answer.started:
            raise reply from exc
        raise


class _Answer:
    """The callbacks of a request, which notice the first word."""

    def __init__(self, callbacks: ReplyCallbacks) -> None:
        self.started = False
        self._on_text = callbacks.on_text
        self.callbacks = replace(callbacks, on_text=self._forward)

    def _forward(self, text: str) -> None:
        self.started = True
        self._on_text(text)


async def _from_first(first: Provider, request: ModelRequest, answer: _Answer) -> ModelReply | JobError:
    """Return the first model's answer, or the error in whose place the fallback answers."""
    breaker = breaker_of(first)
    admission = await breaker.admit(request.thread_id)
    if not admission.allowed:
        return Cooldown(texts.PAUSED, after=admission.wait)
    try:
        reply = await stream_from(first, request, answer.callbacks)
    except JobError as exc:
        if not _is_replaced(exc):
            raise
        logger.warning("the first model failed (%s)", exc.code)
        await breaker.report(request.thread_id, exc, wait=_wait_after(exc))
        if answer.started:
            raise
        return exc
    if admission.is_watched:
        await breaker.report(request.thread_id)
    return reply


def breaker_of(provider: Provider) -> Breaker:
    """Return the breaker of the provider's model."""
    digest = hashlib.sha256(f"{provider.base_url} {provider.model}".encode()).hexdigest()[:16]
    return Breaker(f"model {digest}")


def _is_replaced(exc: JobError) -> bool:
    """Return whether the fallback would help, and is needed."""
    if isinstance(exc, Cooldown):
        return exc.after > SHORT_WAIT
    return exc.code in REPLACED or exc.code in ACCOUNT_WAITS


def _wait_after(exc: JobError) -> float:
    """Return the seconds for which the first model must not be asked; 0 if that depends on other calls."""
    if isinstance(exc, Cooldown):
        return exc.after
    return ACCOUNT_WAITS.get(exc.code, 0.0)
