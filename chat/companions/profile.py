"""The data of a companion. Each has a module beside this one; `registry.py` collects them."""

from dataclasses import dataclass
from typing import Literal

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A companion: its introduction, its prompts, and its limits."""

    id: str
    """Its name in the protocol and in the database."""
    name: str
    tagline: str
    greeting: str
    """Shown before the first message; says that this is an AI."""
    prompts: tuple[str, str, str, str]
    """Suggestions for a first message, as the visitor would write it."""
    color: str
    """Accent, `#rrggbb`. Contrast at least 4.5:1 with white text and 3:1 with a dark page."""
    instructions: str
    """The system prompt."""
    brief: str
    """The system prompt for the small demo model. With 135 million parameters and a window of 2,048
    tokens it cannot follow a long prompt, repeats pieces of it, and has no room left for messages."""
    demo_prompts: tuple[str, str, str, str]
    """The suggestions with the demo model: questions that it answers decently."""
    max_output_tokens: int = 1200
    cache: Literal["owner", "shared", "never"] = "owner"
    """Who may get a stored answer again: its first owner; with `shared` every visitor, if it is the answer
    to a first message (chat/answer_cache/keys.py); no one."""

    def public(self) -> dict[str, object]:
        """Return the public part, as clients get it."""
        return {
            "id": self.id,
            "name": self.name,
            "tagline": self.tagline,
            "greeting": self.greeting,
            "prompts": list(self.demo_prompts if settings.DEMO_MODEL else self.prompts),
            "color": self.color,
        }
