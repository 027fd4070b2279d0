"""Bring values into a form that every store and every way to a client accepts.

PostgreSQL refuses NUL. No encoding has half a surrogate pair. JSON has no NaN, and messages to sockets have
no whole number of more than 64 bits. Results, texts and errors of handlers pass through here.
"""

import json
import math
from typing import Any

#: Stands for a character that cannot be stored. One for each, so that offsets in a text do not change.
_REPLACEMENT = "\ufffd"
#: Whole numbers that fit into 64 bits, signed or unsigned.
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1
#: Levels of lists and dicts. All supported databases, parsers and message formats take more than this.
MAX_DEPTH = 100


def clean_text(value: object, limit: int | None = None) -> str:
    """Return `value` as text that can be stored and sent, of at most `limit` characters. Never raises."""
    try:
        text = value if type(value) is str else str(value)
    except Exception:  # the `__str__` of an exception or a library
        text = f"<{type(value).__name__} without a text>"
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii():
        return text.replace("\0", _REPLACEMENT) if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:  # both halves of a pair become their character, lone halves are replaced
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", _REPLACEMENT)


def escape_unprintable(text: str, keep: str = "") -> str:
    r"""Return `text` with an escape such as `\x1b` for each character that is not printed, except `keep`.

    For terminals, logs and other lines of text: what people write is then shown, and never obeyed. Control
    characters, line ends, invisible characters and those that change the direction of text are escaped.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def as_json(value: Any, *, depth: int = MAX_DEPTH) -> Any:
    """Return `value` as JSON gives it back: lists, dicts with text keys, clean texts, numbers, None.

    Raise `ValueError` with the reason for anything else. Only texts are changed, as `clean_text` does.
    """
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not _MIN_INT <= value <= _MAX_INT:
            raise ValueError("a whole number has more than 64 bits: use a text")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a number in JSON: use None")
        return float(value)
    if not isinstance(value, list | tuple | dict):
        raise ValueError(f"{type(value).__name__} is not JSON")
    if depth <= 0:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return _as_object(value, depth)
    return [as_json(item, depth=depth - 1) for item in value]


def _as_object(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    found = {_key(key): as_json(item, depth=depth - 1) for key, item in value.items()}
    if len(found) < len(value):
        raise ValueError("two keys of a dict are the same text in JSON")
    return found


def _key(key: object) -> str:
    if isinstance(key, str):
        return clean_text(str.__str__(key))
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(as_json(key))
    raise ValueError(f"a key of a dict is {type(key).__name__}: use a text")
