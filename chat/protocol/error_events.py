"""An error as the event that a socket's client is sent. docs/protocol.md is the contract."""

import logging
from typing import Any

from chat.errors import SERVER_ERROR, Refusal, refusal_of

logger = logging.getLogger(__name__)

#: Codes of errors that no well-made client causes. A socket that repeats them is closed.
CLIENT_FAULTS = frozenset({"bad_json", "bad_message", "binary", "too_large", "too_many", "unknown_type"})
#: Topics other than `chat` that a client message can begin with.
_TOPICS = frozenset({"audio", "analysis"})
#: Codes of what the client may not see or do: logged, as refused requests are.
_FORBIDDEN = frozenset({"not_found", "insufficient_scope"})


def error_event(error: Exception, *, request_id: str, message_type: str) -> dict[str, Any]:
    """Return the event for `error`, raised while a client message of this type and id was handled.

    `<topic>:rejected` when the same message will be accepted later, else `error`. An unexpected error
    is logged, and so is what the client may not see or do.
    """
    refusal = refusal_of(error)
    if refusal is None:
        logger.error("a client message could not be handled", exc_info=error)
        refusal = SERVER_ERROR
    if refusal.code in _FORBIDDEN:
        logger.warning("Forbidden: %s (%s)", message_type, refusal.code)
    if refusal.try_later:
        return _rejected(refusal, request_id, message_type)
    fields = {
        "field": refusal.field,
        "requestId": getattr(error, "request_id", "") or request_id,
        "retryAfter": refusal.retry_after,
    }
    event = {"type": "error", "code": refusal.code, "error": refusal.message}
    return event | {name: value for name, value in fields.items() if value}


def _rejected(refusal: Refusal, request_id: str, message_type: str) -> dict[str, Any]:
    topic = message_type.partition(":")[0]
    return {
        "type": f"{topic if topic in _TOPICS else 'chat'}:rejected",
        "requestId": request_id,
        "code": refusal.code,
        "error": refusal.message,
        "retryAfter": refusal.retry_after,
    }
