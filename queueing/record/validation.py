"""What a submission must look like. Each check names the field that is wrong, and the way out."""

import json
import math
import re
from typing import Any

from queueing.conf import get_conf
from queueing.errors import BadSubmission

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f]")
#: An escaped NUL in JSON, not the six characters of one after an escaped backslash.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
#: A year: longer delays are mistakes of unit.
_MAX_DELAY = 366 * 24 * 3600


def max_payload() -> int:
    """Return the largest size of a job's arguments, in bytes of JSON (`QUEUEING["MAX_PAYLOAD"]`)."""
    return get_conf().max_payload


def check(
    *, args: object, owner: object, request_id: object, priority: object, delay: object, meta: object
) -> None:
    """Raise `BadSubmission` for the first field that cannot be."""
    _check_delay(delay)
    if priority is not None and not (_is_int(priority) and 1 <= priority <= 1000):  # type: ignore[operator]
        raise BadSubmission("priority", f"{priority!r} is not a whole number from 1 (first) to 1000")
    if not isinstance(request_id, str) or (request_id and not _REQUEST_ID.fullmatch(request_id)):
        raise BadSubmission("request_id", "use 1 to 64 letters, digits and any of . _ : -")
    if not isinstance(owner, str) or len(owner) > 64 or _CONTROL_CHARACTERS.search(owner):
        raise BadSubmission("owner", "use text of at most 64 characters, none of them control characters")
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
    if size > (most := get_conf().max_payload):
        raise BadSubmission("args", f"{size} bytes of JSON, at most {most}; store the rest and pass its id")


def _json(field: str, value: Any) -> bytes:
    """Its JSON, which every database can keep."""
    try:
        text = _encode(value)
        encoded = text.encode()  # lone surrogates are not text
    except (TypeError, ValueError, RecursionError) as exc:
        raise BadSubmission(field, f"not JSON: {exc}") from None
    if _NUL.search(text):
        raise BadSubmission(field, "it contains NUL characters, which PostgreSQL does not keep")
    return encoded
