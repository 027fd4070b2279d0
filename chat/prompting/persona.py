"""How a companion speaks through the configured model: its instructions and the model's token limits."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings

from chat.companions.registry import Companion

from .token_budget import message_cost

#: Tokens of the demo model's window, for instructions, conversation and answer together.
DEMO_CONTEXT_TOKENS = 2_048
DEMO_OUTPUT_TOKENS = 400


@dataclass(frozen=True, kw_only=True)
class PromptBudget:
    """Instructions and token limits of a prompt."""

    instructions: str
    context_tokens: int
    """Maximum of instructions, conversation and answer together."""
    max_output_tokens: int

    @classmethod
    def of(cls, companion: Companion) -> Self:
        """Return the companion's budget with the configured model or the demo model."""
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
    def conversation_tokens(self) -> int:
        """The tokens left for the conversation."""
        return self.context_tokens - self.max_output_tokens - message_cost(self.instructions)
