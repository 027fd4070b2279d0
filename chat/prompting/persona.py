"""How a companion speaks through the model that is configured, and how much room it has for that."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings

from chat.companions.registry import Companion

from .token_budget import turn_cost

#: The demo model's window, for instructions, conversation and answer together.
DEMO_CONTEXT_TOKENS = 2_048
DEMO_OUTPUT_TOKENS = 400


@dataclass(frozen=True, kw_only=True)
class Voice:
    """Sizes in tokens."""

    instructions: str
    context_tokens: int
    max_output_tokens: int

    @classmethod
    def of(cls, companion: Companion) -> Self:
        """The companion's, for the demo model or a real one."""
        if settings.DEMO_MODEL:
            return cls(
                instructions=companion.brief,
                context_tokens=DEMO_CONTEXT_TOKENS,
                max_output_tokens=DEMO_OUTPUT_TOKENS,
            )
        return cls(
            instructions=companion.instructions,
            context_tokens=settings.OPENAI_CONTEXT_TOKENS,
            max_output_tokens=companion.max_output_tokens,
        )

    @property
    def room(self) -> int:
        """What is left for the conversation."""
        return self.context_tokens - self.max_output_tokens - turn_cost(self.instructions)
