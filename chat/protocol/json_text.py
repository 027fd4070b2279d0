"""Read the JSON of clients with bounded work: a text of very many values is refused before it is read.

Most of the time is not in reading the text but in the objects that it becomes, in collecting garbage among
them, and in saying of each why it is invalid: 2.5 MB of `[],` could hold an event loop for seconds.
"""

import json
import re
from itertools import islice
from typing import Any

#: Strings and marks of structure in one text: a conversation of 5,000 messages has 35,000.
MAX_TOKENS = 40_000
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[{,]', re.DOTALL)


def read(text: str | bytes) -> Any:
    """Return the value in a text. Raises `ValueError` or `RecursionError`."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    if sum(1 for _ in islice(_TOKEN.finditer(text), MAX_TOKENS + 1)) > MAX_TOKENS:
        raise ValueError("too many values")
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python accepts but JSON does not have."""
    raise ValueError(name)
