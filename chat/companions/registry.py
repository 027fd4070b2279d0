"""The four companions there are, and how to find one by what a client calls it."""

from chat.errors import InvalidInput

from .corporate import CORPORATE
from .culture import CULTURE
from .emotional import EMOTIONAL
from .profile import Companion
from .travel import TRAVEL

__all__ = ["COMPANIONS", "Companion", "companion_named"]

#: In the order the page shows them.
COMPANIONS: dict[str, Companion] = {c.id: c for c in (CORPORATE, TRAVEL, EMOTIONAL, CULTURE)}


def companion_named(name: str, *, field: str = "companion") -> Companion:
    """The companion called `name`; `InvalidInput` on `field` names those there are."""
    if name in COMPANIONS:
        return COMPANIONS[name]
    known = ", ".join(COMPANIONS)
    if name.startswith(("asst_", "pmpt_")):
        raise InvalidInput(
            field,
            "OpenAI's Assistants ended on 2026-08-26 and its dashboard Prompts end on 2026-11-30: their ids "
            f"name nothing here. Name a companion instead: {known}.",
        )
    raise InvalidInput(field, f"There is no such companion. There are: {known}.")
