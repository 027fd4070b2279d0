"""The four companions, and the lookup by the name that a client sends."""

from chat.errors import InvalidInput

from . import texts
from .corporate import CORPORATE
from .culture import CULTURE
from .emotional import EMOTIONAL
from .profile import Companion
from .travel import TRAVEL

__all__ = ["COMPANIONS", "Companion", "companion_named", "name_of"]

#: In the order the page shows them.
COMPANIONS: dict[str, Companion] = {c.id: c for c in (CORPORATE, TRAVEL, EMOTIONAL, CULTURE)}


def companion_named(name: str, *, field: str = "companion") -> Companion:
    """Return the companion called `name`. Raise `InvalidInput` on `field`, listing the existing ones."""
    if name in COMPANIONS:
        return COMPANIONS[name]
    known = ", ".join(COMPANIONS)
    if name.startswith(("asst_", "pmpt_")):
        raise InvalidInput(field, texts.not_an_assistant(known))
    raise InvalidInput(field, texts.unknown_companion(known))


def name_of(companion_id: str) -> str:
    """Return the name of a companion, also of one that was removed: its conversations stay."""
    companion = COMPANIONS.get(companion_id)
    return companion.name if companion else companion_id.capitalize()
