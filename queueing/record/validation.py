"""Check the fields of a submission. Each error names the field, and says what is allowed."""

import json
import math
import re
from typing import Any

from queueing.conf import get_conf
from queueing.errors import BadSubmission

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f]")
#: An escaped NUL in JSON. After an escaped backslash the same six characters are ordinary text.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
#: Seconds of a year. A longer delay is a mistake in the unit.
_MAX_DELAY = 366 * 24 * 3600


def max_payload() -> int:
    """Return the largest size of a job's arguments, in bytes of JSON (`QUEUEING["MAX_PAYLOAD"]`)."""
    return get_conf().max_payload


def check(
    *, args: object, owner: object, request_id: object, priority: object, delay: object, meta: object
) -> None:
    """Raise `BadSubmission` for the first field with a wrong value."""
    _check_delay(delay)
    if priority is not None and not (_is_int(priority) and 1 <= priority <= 1000):  # type: ignore[operator]
        raise BadSubmission("priority", f"{priority!r} is not a whole number from 1 (first) to 1000")
    if not isinstance(request_id, str) or (request_id and not _REQUEST_ID.fullmatch(request_id)):
        raise BadSubmission("request_id", "use 1 to 64 characters: letters, digits and . _ : -")
    if not isinstance(owner, str) or len(owner) > 64 or _CONTROL_CHARACTERS.search(owner):
        raise BadSubmission("owner", "use text of up to 64 characters without control characters")
    _check_args(args)
    if not isinstance(meta, dict) or not all(isinstance(x, str) for pair in meta.items() for x in pair):
        raise BadSubmission("meta", "use a dict of text to text")
    if meta:
        _json("meta", meta)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_delay(delay: object) -> None:
    number = (isinstance(delay, float) and math.isfinite(delay)) or _is_int(delay)
    if not number or not 0 <= delay <= _MAX_DELAY:  # type: ignore[operator]
        raise BadSubmission("delay", f"use a number of seconds from 0 to {_MAX_DELAY} (a year)")


def _check_args(args: object) -> None:
    if not isinstance(args, dict) or not all(isinstance(name, str) for name in args):
        raise BadSubmission("args", f"use a dict of keyword arguments, not {type(args).__name__}")
    size = len(_json("args", args))
    if size > (maximum := get_conf().max_payload):
        raise BadSubmission(
            "args",
            f"{size} bytes of JSON are more than {maximum}; store the rest and pass its id",
        )


def _json(field: str, value: Any) -> bytes:
    """Return `value` as JSON that every supported database can store. Raises `BadSubmission`."""
    try:
        text = _encode(value)
        encoded = text.encode()  # raises for lone surrogates, which are not text
    except (TypeError, ValueError, RecursionError) as exc:
        raise BadSubmission(field, f"not JSON: {exc}") from None
    if _NUL.search(text):
        raise BadSubmission(field, "it contains NUL characters, which PostgreSQL cannot store")
    return encoded
