"""The prompt of a reply: built here for the job that writes it and for the lookup of a stored answer.

Both must build the same prompt from the same conversation, else no stored answer is found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat.care.model_guidance import guidance
from chat.companions.registry import Companion

from .conversation_context import ConversationContext
from .persona import PromptBudget
from .token_budget import PromptMessage, fit, message_cost


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """A request to the model. The last of `messages` is the user's."""

    instructions: str
    messages: Sequence[PromptMessage]
    max_output_tokens: int
    """Maximum of the answer alone."""
    thinking_tokens: int = 0
    """Tokens for the model's thoughts, besides those of the answer."""
    effort: str = ""
    """How much the model thinks, in the provider's words; empty for its default."""
    owner: str = ""
    """Sent to OpenAI alone, as a hash."""
    thread_id: str = ""
    """Sent to OpenAI alone, which keeps a prompt cache under it."""

    @property
    def max_tokens(self) -> int:
        """Maximum of the answer and the thoughts together, as the provider counts them."""
        return self.max_output_tokens + self.thinking_tokens

    @property
    def estimated_input_tokens(self) -> int:
        """The tokens that the model reads, estimated."""
        return message_cost(self.instructions) + sum(message_cost(m.content) for m in self.messages)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """The instructions and the messages that fit."""

    budget: PromptBudget
    messages: Sequence[PromptMessage]
    has_guidance: bool
    """True when the visitor may be in a crisis: the instructions say how to answer; no answer is reused."""

    def as_request(self) -> ModelRequest:
        """Return the request for the reply to this prompt."""
        return ModelRequest(
            instructions=self.budget.instructions,
            messages=self.messages,
            max_output_tokens=self.budget.max_output_tokens,
        )


def build_prompt(companion: Companion, context: ConversationContext) -> Prompt:
    """Return the prompt for the companion's reply in this context. Raise `Permanent` as `fit` does."""
    budget = PromptBudget.of(companion)
    added = guidance(message.content for message in context.messages if message.role == "user")
    budget = replace(budget, instructions=budget.instructions + added + context.prompt_suffix)
    messages = (*budget.introduction, *fit(context.messages, budget.conversation_tokens))
    return Prompt(budget=budget, messages=messages, has_guidance=bool(added))
