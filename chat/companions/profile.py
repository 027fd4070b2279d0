"""What a companion is. One module beside this one for each; `chat/companions/registry.py` collects them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A companion: how it introduces itself and what the model is told."""

    id: str
    """Its name on the wire and in the database."""
    name: str
    tagline: str
    greeting: str
    """Shown before the first message; says that this is an AI."""
    prompts: tuple[str, str, str, str]
    """Ways to begin, in the visitor's own voice."""
    color: str
    """Accent, `#rrggbb`. White text on it reads (4.5:1), and it stands out on a dark page (3:1)."""
    instructions: str
    """The system prompt."""
    brief: str
    """The system prompt for the small demo model. With 135 million parameters and a window of 2,048
    tokens it loses a long prompt's thread, repeats pieces of it, and has no room left for the talk."""
    max_output_tokens: int = 1200
    cache: Literal["owner", "shared", "never"] = "owner"
    """Who is given a stored answer again: whoever got it first; anybody, if it is the answer to a first
    message (chat/answer_cache/keys.py); nobody."""

    def public(self) -> dict[str, object]:
        """What anybody may see of it, as clients get it."""
        return {
            "id": self.id,
            "name": self.name,
            "tagline": self.tagline,
            "greeting": self.greeting,
            "prompts": list(self.prompts),
            "color": self.color,
        }
