"""The valid names and properties of events. Names are fixed, so that no visitor's words become one."""

import math
import re
from collections.abc import Mapping

from chat.analytics import texts
from chat.errors import InvalidInput

#: Activities whose jobs are counted, each with its three ends.
ACTIVITIES = ("reply", "voice", "document")
#: Events of the server. Clients cannot send these, so that the figures cannot be forged.
SERVER_EVENTS = frozenset(
    [
        "page.opened",
        "message.sent",
        *(f"{activity}.{end}" for activity in ACTIVITIES for end in ("completed", "failed", "cancelled")),
    ]
)
#: Events that clients can send, besides names of their own.
CLIENT_EVENTS = frozenset(
    ["answer.copied", "prompt.used", "report.downloaded", "search.used", "thread.opened", "voice.recorded"]
)
#: Prefix of a client's own event names; up to 38 small letters, digits, and any of . _ - follow.
CUSTOM_PREFIX = "x:"

MAX_PROPERTIES = 10
MAX_TEXT = 64
#: Numbers are smaller than this, so that the sums of millions of numbers stay exact.
MAX_NUMBER = 1e12

_CUSTOM = re.compile(r"x:[a-z0-9][a-z0-9._-]{0,37}")
_PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")

Value = bool | int | float | str


def check_client_name(name: str) -> None:
    """Raise `InvalidInput("name", …)` for a name that clients cannot send."""
    if name not in CLIENT_EVENTS and not _CUSTOM.fullmatch(name):
        raise InvalidInput("name", texts.bad_event_name(sorted(CLIENT_EVENTS)))


def check(name: str, properties: Mapping[str, object]) -> None:
    """Raise `InvalidInput` with the field of an event that is invalid for any sender."""
    if name not in SERVER_EVENTS:
        check_client_name(name)
    if len(properties) > MAX_PROPERTIES:
        raise InvalidInput("properties", texts.too_many_properties(MAX_PROPERTIES))
    for key, value in properties.items():
        if not _PROPERTY.fullmatch(key):
            raise InvalidInput("properties", texts.BAD_PROPERTY_NAME)
        if error := _error_in(value):
            raise InvalidInput(f"properties.{key}", error)


def _error_in(value: object) -> str:
    """Return the sentence for an invalid value of a property, or an empty string."""
    if isinstance(value, str):
        fits = len(value) <= MAX_TEXT and value.isprintable()
        return "" if fits else texts.text_too_long(MAX_TEXT)
    if not isinstance(value, bool | int | float):
        return texts.BAD_PROPERTY_TYPE
    return "" if math.isfinite(value) and abs(value) < MAX_NUMBER else texts.NUMBER_TOO_LARGE
