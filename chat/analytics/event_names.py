"""What an event may be called and carry. Names are fixed, so that nobody's words become one."""

import math
import re
from collections.abc import Mapping

from chat.errors import InvalidInput

#: What the application itself records. Clients cannot send these: nobody forges our figures.
KINDS = ("reply", "voice", "document")
OWN = frozenset(
    [
        "page.opened",
        "message.sent",
        *(f"{kind}.{end}" for kind in KINDS for end in ("completed", "failed", "cancelled")),
    ]
)
#: What clients may send besides names of their own.
CLIENT = frozenset(
    ["answer.copied", "prompt.used", "report.downloaded", "search.used", "thread.opened", "voice.recorded"]
)
#: Names of a client's own begin so; what follows is up to 38 small letters, digits and any of . _ -
CUSTOM = "x:"

MAX_PROPERTIES = 10
MAX_TEXT = 64
#: Numbers are smaller than this, so that sums of millions stay exact.
MAX_NUMBER = 1e12

_CUSTOM = re.compile(r"x:[a-z0-9][a-z0-9._-]{0,37}")
_PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")

Value = bool | int | float | str


def check_client_name(name: str) -> None:
    """Raise `InvalidInput("name", …)` for what a client cannot send."""
    if name not in CLIENT and not _CUSTOM.fullmatch(name):
        raise InvalidInput(
            "name",
            f"Use one of {', '.join(sorted(CLIENT))}, or a name of your own that begins with x: and goes on "
            "with at most 38 small letters, digits and any of . _ -",
        )


def check(name: str, properties: Mapping[str, object]) -> None:
    """Raise `InvalidInput` naming the field for an event that cannot be kept, whoever sends it."""
    if name not in OWN:
        check_client_name(name)
    if len(properties) > MAX_PROPERTIES:
        raise InvalidInput("properties", f"An event has at most {MAX_PROPERTIES} properties.")
    for key, value in properties.items():
        if not _PROPERTY.fullmatch(key):
            raise InvalidInput(
                "properties", "A property's name is a letter and then at most 31 letters, digits and _."
            )
        if wrong := _wrong(value):
            raise InvalidInput(f"properties.{key}", wrong)


def _wrong(value: object) -> str:
    """What is wrong with a property's value, or nothing."""
    if isinstance(value, str):
        fits = len(value) <= MAX_TEXT and value.isprintable()
        return "" if fits else f"A text has at most {MAX_TEXT} characters on one line."
    if not isinstance(value, bool | int | float):
        return "Properties are numbers, short texts, true or false; nothing nested."
    return "" if math.isfinite(value) and abs(value) < MAX_NUMBER else "A number is smaller than 10¹²."
