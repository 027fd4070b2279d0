"""Translate failures of the provider into the queue's errors, with sentences for users (`texts.py`).

Every sentence may be shown to anyone, so none contains a key, an address or the provider's own text. These
go to the log.
"""

import logging
import re
from typing import TYPE_CHECKING

import httpx2
from django.conf import settings

from queueing.api import Cooldown, JobError, Outage, Permanent, Retry

from . import texts
from .retry_after import RATE_LIMIT_WAIT, requested_wait

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

_QUOTA = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
}
_FILTERED = {
    "content_filter",
    "content_policy_violation",
    "invalid_prompt",
    "bio_policy",
    "cyber_policy",
    "misalignment_policy_violation",
    "moderation_blocked",
}
_RATE_LIMITED = {"rate_limit_exceeded", "slow_down"}
_TOO_LONG = {"context_length_exceeded", "exceed_context_size_error"}
#: Servers other than OpenAI report a too long request in words only. OpenAI reports a single request above
#: the limit of a whole minute as a rate limit, but waiting does not make it shorter.
_TOO_LONG_PATTERN = re.compile(
    r"context (length|size|window)|contextwindow|request too large|tokens must be reduced", re.IGNORECASE
)

#: Characters of a provider's message in the log.
_MAX_DETAIL = 1_000
#: "Service unavailable" and "overloaded": with a requested wait they apply to every job.
_BUSY = {503, 529}
#: Conflict, too early: the same request may succeed later.
_TEMPORARY = {409, 425}
#: Errors of a server that a single request may have caused: request timeout, internal error, not implemented.
_PERHAPS_OF_REQUEST = {408, 500, 501}


def as_job_error(exc: Exception) -> JobError:
    """Return the queue's error for `exc`, raised by any call of the SDK; log the technical detail."""
    if isinstance(exc, JobError):
        return exc
    error = _translated(exc)
    logger.warning("model call failed (%s): %s", error.code, detail_of(exc))
    return error


def error_in_stream(codes: set[str], message: str, status: int) -> JobError:
    """Return the error for a failure reported inside an answer; log it.

    `status` is the HTTP status that says the same; 0 without one.
    """
    error = _by_code(codes, message) or (_by_status(status) if status else provider_error())
    detail = _redacted(" ".join([*sorted(codes), message]))
    logger.warning("model call failed (%s): in the stream: %s", error.code, detail)
    return error


def _translated(exc: Exception) -> JobError:
    import openai  # see __init__.py

    if isinstance(exc, openai.APIStatusError):
        return _by_code(_codes(exc), exc.message, exc.response.headers) or _by_status(
            exc.status_code, exc.response.headers
        )
    if isinstance(exc, openai.APIConnectionError):
        return _connection_error(exc.__cause__)
    if isinstance(exc, httpx2.RequestError):  # while reading the answer
        return _connection_error(exc)
    if isinstance(exc, openai.APIError):
        return _by_code(_codes(exc), exc.message) or provider_error()
    return garbled()


def _codes(exc: "openai.APIError") -> set[str]:
    return {str(exc.code or ""), str(exc.type or "")}


def _by_code(codes: set[str], message: str, headers: httpx2.Headers | None = None) -> JobError | None:
    """Return the error for the provider's own code, which is more precise than its HTTP status."""
    if codes & _QUOTA or any(code.endswith("_spend_limit_exceeded") for code in codes):
        return no_quota()
    if codes & _TOO_LONG or _TOO_LONG_PATTERN.search(message):
        return too_long()
    if codes & _RATE_LIMITED:
        return rate_limited(requested_wait(headers))
    if codes & _FILTERED:
        return filtered()
    return None


def _by_status(status: int, headers: httpx2.Headers | None = None) -> JobError:
    wait = requested_wait(headers)
    if status == 429 or (status in _BUSY and wait):
        return rate_limited(wait)
    if status >= 500 or status in _PERHAPS_OF_REQUEST:
        return unavailable(wait or 0.0, certain=status not in _PERHAPS_OF_REQUEST)
    if status in _TEMPORARY:
        return Retry(texts.PROVIDER_ERROR, code="provider_error", after=wait or 0.0)
    match status:
        case 401 | 403:
            return not_configured("the provider refused the key")
        case 301 | 302 | 303 | 307 | 308:
            return not_configured("the provider's address leads to another: only the configured one is used")
        case 402:
            return no_quota()
        case 404:
            return Permanent(texts.NO_MODEL, code="no_model")
        case 413:
            return too_long()
    return Permanent(texts.BAD_REQUEST, code="bad_request")


def _connection_error(cause: BaseException | None) -> Outage:
    # The aiohttp transport reports a refused or dropped connection as a timeout too, so check the cause.
    if isinstance(cause, httpx2.ReadError):
        return cut_off()
    if isinstance(cause, (httpx2.ReadTimeout, httpx2.WriteTimeout)):
        return Outage(texts.PROVIDER_TIMEOUT, code="provider_timeout")
    return Outage(texts.PROVIDER_UNREACHABLE, code="provider_unreachable")


def detail_of(exc: Exception) -> str:
    """Return what the provider or the network said, for the log and for operators, without keys."""
    cause = f" <- {exc.__cause__!r}" if exc.__cause__ else ""
    request_id = getattr(exc, "request_id", None)
    return _redacted(f"{exc!r}{cause}" + (f" request {request_id}" if request_id else ""))


def _redacted(text: str) -> str:
    """Return the beginning of `text` without API keys, which some providers repeat in their messages."""
    text = text[:_MAX_DETAIL]
    for key in filter(None, (settings.OPENAI_API_KEY, settings.OPENAI_FALLBACK_API_KEY)):
        text = text.replace(key, "[key]")
    return re.sub(r"\bsk-[\w*-]+", "[key]", text)


def not_configured(detail: str) -> Permanent:
    """Return the error for a missing or refused setting; `detail` goes to the log."""
    logger.error("the model account is not configured: %s", detail)
    return Permanent(texts.NOT_CONFIGURED, code="not_configured")


def no_quota() -> Permanent:
    """Return the error for an account without credit."""
    return Permanent(texts.NO_QUOTA, code="no_quota")


def rate_limited(wait: float | None) -> Cooldown:
    """Return the error for too many requests; without a requested `wait` (seconds) the default applies."""
    return Cooldown(texts.RATE_LIMITED, code="rate_limited", after=wait or RATE_LIMIT_WAIT)


def too_long() -> Permanent:
    """Return the error for a request that exceeds the model's context."""
    return Permanent(texts.TOO_LONG, code="too_long")


def filtered() -> Permanent:
    """Return the error for an answer that the content filter blocked."""
    return Permanent(texts.FILTERED, code="content_filter")


def refused(explanation: str) -> Permanent:
    """Return the error for a refusal. The `explanation` is the model's own text, written for the user."""
    return Permanent(texts.refused(explanation[:300].strip()), code="refused")


def unavailable(after: float, *, certain: bool) -> Outage:
    """Return the error for an error of the provider's server, which requests a wait of `after` seconds.

    Not `certain` are errors that the request itself may have caused.
    """
    text = texts.PROVIDER_DOWN if certain else texts.PROVIDER_ERROR
    return Outage(text, code="provider_error", after=after, certain=certain)


def provider_error() -> Outage:
    """Return the error for an internal error of the provider."""
    return unavailable(0.0, certain=False)


def cut_off() -> Outage:
    """Return the error for an answer that stopped before its end."""
    return Outage(texts.CUT_OFF, code="cut_off", certain=False)


def garbled() -> Outage:
    """Return the error for an answer that is not as documented."""
    return Outage(texts.GARBLED, code="garbled", certain=False)


def after_first_word(error: JobError) -> JobError:
    """Return the error for an answer that has begun: its provider does answer."""
    return Retry(error.message, code=error.code, after=error.after) if isinstance(error, Outage) else error


def empty_answer() -> Retry:
    """Return the error for an answer without text."""
    return Retry(texts.EMPTY_ANSWER, code="empty_answer")


def no_room() -> Permanent:
    """Return the error for a length limit reached before any text: a reasoning model can use all of it."""
    return Permanent(texts.NO_ROOM, code="no_room")
