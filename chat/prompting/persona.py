"""How a companion speaks through the configured model: its instructions and the model's token limits."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings

from chat.companions.registry import Companion

from .token_budget import message_cost

#: Tokens of the demo model's window, for instructions, conversation and answer together.
DEMO_CONTEXT_TOKENS = 2_048
DEMO_OUTPUT_TOKENS = 200


def context_tokens() -> int:
    """Return the tokens of the model's window."""
    return DEMO_CONTEXT_TOKENS if settings.DEMO_MODEL else settings.OPENAI_CONTEXT_TOKENS


def thinking_tokens(companion: str) -> int:
    """Return the tokens that the model may use for thoughts besides those of the answer."""
    return 0 if settings.DEMO_MODEL else settings.THINKING_TOKENS.get(companion, 0)


@dataclass(frozen=True, kw_only=True)
class PromptBudget:
    """Instructions and token limits of a prompt."""

    instructions: str
    context_tokens: int
    """Maximum of instructions, conversation, thoughts and answer together."""
    max_output_tokens: int
    thinking_tokens: int = 0
    """Tokens for the model's thoughts, besides those of the answer."""

    @classmethod
    def of(cls, companion: Companion) -> Self:
        """Return the companion's budget with the configured model or the demo model."""
        if settings.DEMO_MODEL:
            return cls(
                instructions=companion.brief,
                context_tokens=context_tokens(),
                max_output_tokens=DEMO_OUTPUT_TOKENS,
            )
        return cls(
            instructions=companion.instructions,
            context_tokens=context_tokens(),
            max_output_tokens=companion.max_output_tokens,
            thinking_tokens=thinking_tokens(companion.id),
        )

    @property
    def conversation_tokens(self) -> int:
        """The tokens left for the conversation."""
        output = self.max_output_tokens + self.thinking_tokens
        return self.context_tokens - output - message_cost(self.instructions)
