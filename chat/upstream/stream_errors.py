"""Errors that a provider reports inside an answer whose HTTP status is 200.

A number in them is read like the HTTP status of the same number.
"""

import re
from typing import Any

from queueing.api import JobError

from .errors import error_in_stream

#: The names of errors that stand for a status.
_STATUS_OF_NAME = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "invalid_argument": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "insufficient_credits": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "ratelimiterror": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "api_error": 500,
    "internal_error": 500,
    "server_error": 500,
    "unavailable": 503,
    "service_unavailable": 503,
    "insufficient_system_resource": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}
#: Fields that hold a status or a name, the most precise first.
_CODE_FIELDS = ("code", "status_code", "status", "error_code", "type")
_MESSAGE_FIELDS = ("message", "detail", "msg", "error_msg", "title")
#: A text that begins with a status: `429 Too Many Requests`, `Error code: 429 - …`.
_STATUS_IN_TEXT = re.compile(r"\W*(?:(?:http|api|error|status|code)\W+)*([45]\d\d)\b", re.IGNORECASE)
#: Fields of an event that is a part of an answer.
_ANSWER_FIELDS = ("choices", "output", "response", "delta", "item", "part", "usage", "model")


def error_in(event: Any) -> JobError | None:
    """Return the error that `event` reports, or None."""
    if isinstance(event, str):
        return as_error(event)
    if error := event.get("error"):
        return as_error(error, event)
    if event.get("object") == "error" or event.get("type") == "error":
        return as_error(event)
    if not any(name in event for name in _ANSWER_FIELDS) and _message(event):
        return as_error(event)
    return None


def as_error(error: Any, event: dict[str, Any] | None = None) -> JobError:
    """Return the error for a provider's `error` field: an object, a text or a list; `event` is around it."""
    if isinstance(error, list) and error:
        error = error[0]
    if not isinstance(error, dict):
        text = error if isinstance(error, str) else ""
        error = {**_codes_around(event), "message": text or _message(event or {})}
    codes = [str(error[name]) for name in _CODE_FIELDS if error.get(name) not in (None, "")]
    message = _message(error)
    return error_in_stream(set(codes), message, _status(codes, message))


def _codes_around(event: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (event or {}).items() if name in _CODE_FIELDS}


def _message(error: dict[str, Any]) -> str:
    return next((text for name in _MESSAGE_FIELDS if (text := str(error.get(name) or ""))), "")


def _status(codes: list[str], message: str) -> int:
    """Return the status that a code stands for, or that the message begins with; 0 without one."""
    for code in codes:
        if code.isdecimal() and 400 <= int(code) < 600:
            return int(code)
        if status := _STATUS_OF_NAME.get(code.lower()):
            return status
    found = _STATUS_IN_TEXT.match(message)
    return int(found[1]) if found else 0
