"""How a companion speaks through the configured model: its instructions and the model's token limits."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings

from chat.companions.registry import Companion

from . import texts
from .token_budget import PromptMessage, message_cost

#: Tokens of the demo model's window, for instructions, conversation and answer together.
DEMO_CONTEXT_TOKENS = 2_048
DEMO_OUTPUT_TOKENS = 200


def context_tokens() -> int:
    """Return the tokens of the model's window."""
    return DEMO_CONTEXT_TOKENS if settings.DEMO_MODEL else settings.OPENAI_CONTEXT_TOKENS


def thinking_tokens(companion: str) -> int:
    """Return the tokens that the model may use for thoughts besides those of the answer."""
    return 0 if settings.DEMO_MODEL else settings.THINKING_TOKENS.get(companion, 0)


def demo_instructions(companion: Companion) -> str:
    """Return the instructions of the small demo model."""
    return f"{companion.brief} {texts.your_name_is(companion.name)}"


def demo_introduction(companion: Companion) -> tuple[PromptMessage, ...]:
    """Return an example that the small demo model follows: without it, it makes up names, such as Emily."""
    answer = PromptMessage("assistant", texts.my_name_is(companion.name))
    return PromptMessage("user", texts.WHAT_IS_YOUR_NAME), answer


@dataclass(frozen=True, kw_only=True)
class PromptBudget:
    """Instructions and token limits of a prompt."""

    instructions: str
    context_tokens: int
    """Maximum of instructions, conversation, thoughts and answer together."""
    max_output_tokens: int
    thinking_tokens: int = 0
    """Tokens for the model's thoughts, besides those of the answer."""
    introduction: tuple[PromptMessage, ...] = ()
    """What the model reads before the conversation, as if it had been said there."""

    @classmethod
    def of(cls, companion: Companion) -> Self:
        """Return the companion's budget with the configured model or the demo model."""
        if settings.DEMO_MODEL:
            return cls(
                instructions=demo_instructions(companion),
                context_tokens=context_tokens(),
                max_output_tokens=DEMO_OUTPUT_TOKENS,
                introduction=demo_introduction(companion),
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
        read = [self.instructions, *(message.content for message in self.introduction)]
        return self.context_tokens - output - sum(map(message_cost, read))
