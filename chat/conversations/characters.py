"""Characters that no store and no message on the wire accepts."""

import re

from chat.errors import InvalidInput

from . import texts

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def check_characters(text: str, field: str) -> str:
    """Return `text`; raise `InvalidInput` on `field` when it has NUL or half a surrogate pair."""
    if _UNUSABLE.search(text):
        raise InvalidInput(field, texts.INVALID_CHARACTERS)
    return text
