"""What the provider reports, in the queue's terms and in words for the visitor.

Every sentence here may be shown to anyone, so none carries a key, an address or the provider's own
text; that goes to the log.
"""

import logging
import re
from typing import TYPE_CHECKING

import httpx2
from django.conf import settings

from queueing.api import Cooldown, JobError, Permanent, Retry

from .retry_after import RATE_LIMIT_WAIT, asked_wait

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

TELL = "Please tell whoever runs this site."

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
#: Servers other than OpenAI report an overflow in words only. OpenAI itself calls a single request
#: above the limit of a whole minute a rate limit, but waiting does not make it smaller.
_TOO_LONG_WORDS = re.compile(
    r"context (length|size|window)|contextwindow|request too large|tokens must be reduced", re.IGNORECASE
)

#: "Service unavailable" and "overloaded": with a wait named, they speak to everybody.
_BUSY = {503, 529}
#: Request timeout, conflict, too early: the same request may well pass later.
_PASSING = {408, 409, 425}


def mapped(exc: Exception) -> JobError:
    """Say what `exc`, raised by any call of the SDK, means to the queue; log the technical detail."""
    if isinstance(exc, JobError):
        return exc
    error = _mapped(exc)
    logger.warning("model call failed (%s): %s", error.code, _detail(exc))
    return error


def reported(words: set[str], message: str) -> JobError:
    """The error for a failure that came inside a stream, with the `words` that name its kind."""
    error = _by_meaning(words, message) or provider_error()
    detail = _redacted(" ".join([*sorted(words), message]))
    logger.warning("model call failed (%s): in the stream: %s", error.code, detail)
    return error


def _mapped(exc: Exception) -> JobError:
    import openai  # see __init__.py

    if isinstance(exc, openai.APIStatusError):
        return _by_meaning(_words(exc), exc.message, exc.response.headers) or _by_status(exc)
    if isinstance(exc, openai.APIConnectionError):
        return _unreached(exc.__cause__)
    if isinstance(exc, httpx2.RequestError):  # while the answer was read
        return _unreached(exc)
    if isinstance(exc, openai.APIError):
        return _by_meaning(_words(exc), exc.message) or provider_error()
    return garbled()


def _words(exc: "openai.APIError") -> set[str]:
    return {str(exc.code or ""), str(exc.type or "")}


def _by_meaning(words: set[str], message: str, headers: httpx2.Headers | None = None) -> JobError | None:
    """What the provider's own code says, which is more than its status does."""
    if words & _QUOTA or any(word.endswith("_spend_limit_exceeded") for word in words):
        return no_quota()
    if words & _TOO_LONG or _TOO_LONG_WORDS.search(message):
        return too_long()
    if words & _RATE_LIMITED:
        return rate_limited(asked_wait(headers))
    if words & _FILTERED:
        return filtered()
    return None


def _by_status(exc: "openai.APIStatusError") -> JobError:
    status, wait = exc.status_code, asked_wait(exc.response.headers)
    if status == 429 or (status in _BUSY and wait):
        return rate_limited(wait)
    if status >= 500 or status in _PASSING:
        return provider_error(wait or 0.0)
    match status:
        case 401 | 403:
            return not_configured("the provider refused the key")
        case 402:
            return no_quota()
        case 404:
            return Permanent(
                f"The companion's model is not available under the name it is set up with. {TELL}",
                code="no_model",
            )
        case 413:
            return too_long()
    return Permanent("The companion's model could not accept this message.", code="bad_request")


def _unreached(cause: BaseException | None) -> Retry:
    # The aiohttp transport reports a refused or dropped connection as a timeout too, so look beneath.
    if isinstance(cause, httpx2.ReadError):
        return cut_off()
    if isinstance(cause, (httpx2.ReadTimeout, httpx2.WriteTimeout)):
        return Retry("The companion's model took too long to answer.", code="provider_timeout")
    return Retry("The companion's model could not be reached.", code="provider_unreachable")


def _detail(exc: Exception) -> str:
    cause = f" <- {exc.__cause__!r}" if exc.__cause__ else ""
    request_id = getattr(exc, "request_id", None)
    return _redacted(f"{exc!r}{cause}" + (f" request {request_id}" if request_id else ""))


def _redacted(text: str) -> str:
    """Keep keys out of the log, even when a provider repeats them."""
    for key in filter(None, (settings.OPENAI_API_KEY, settings.OPENAI_FALLBACK_API_KEY)):
        text = text.replace(key, "[key]")
    return re.sub(r"\bsk-[\w*-]+", "[key]", text)


def not_configured(detail: str) -> Permanent:
    logger.error("the model account is not set up: %s", detail)
    return Permanent(f"The companion's model account is not set up correctly. {TELL}", code="not_configured")


def no_quota() -> Permanent:
    return Permanent(f"The companion's model account has no credit left. {TELL}", code="no_quota")


def rate_limited(wait: float | None) -> Cooldown:
    return Cooldown(
        "The companion's model is asked too much just now; it will go on shortly.",
        code="rate_limited",
        after=wait or RATE_LIMIT_WAIT,
    )


def too_long() -> Permanent:
    return Permanent(
        "This is more text than the companion's model can take in. "
        "Please send less, or start a new conversation.",
        code="too_long",
    )


def filtered() -> Permanent:
    return Permanent(
        "The answer was held back by the content filter. Please put it differently.", code="content_filter"
    )


def refused(words: str) -> Permanent:
    """`words` are the model's own and meant for the visitor."""
    return Permanent(f"The companion declined to answer: {words[:300].strip()}", code="refused")


def provider_error(after: float = 0.0) -> Retry:
    return Retry("The companion's model had a problem of its own.", code="provider_error", after=after)


def cut_off() -> Retry:
    return Retry("The answer broke off before its end.", code="cut_off")


def garbled() -> Retry:
    return Retry("The companion's model sent something unreadable.", code="garbled")


def empty_answer() -> Retry:
    return Retry("The companion's model answered with nothing.", code="empty_answer")


def no_room() -> Permanent:
    """A model that thinks first may spend the whole limit before its first word."""
    return Permanent(
        "The companion ran out of room before it could answer. Please ask for something shorter.",
        code="no_room",
    )
