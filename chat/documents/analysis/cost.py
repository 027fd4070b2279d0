"""The cost of a document: the model calls and tokens of its report at most, known before the first call."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Self

from django.conf import settings

from chat.usage.budgets import CallSize
from chat.usage.prices import cost_of

from .model_session import ModelSession, tokens_of_text

#: How full a part is at least, on average: it ends at a boundary in the second half of what fits.
_FILLED = 0.75
#: How full a group of notes is at least.
_GROUP_FILLED = 0.66


@dataclass(frozen=True, kw_only=True)
class DocumentCost:
    """What the model calls about a document use at most."""

    calls: int
    size: CallSize

    @classmethod
    def estimated(cls, session: ModelSession, text: str, kind: str) -> Self:
        """Return the cost of a document that is not split yet."""
        tokens = tokens_of_text(text, kind)
        parts = ceil(tokens / session.part_tokens / _FILLED) if tokens > session.part_tokens else 1
        return cls.of_parts(session, parts, tokens)

    @classmethod
    def of_parts(cls, session: ModelSession, parts: int, tokens: int, unread: int | None = None) -> Self:
        """Return the cost of parts with `tokens` of text, some of them `unread`, and of their summary."""
        answer = session.output_tokens + session.thinking_tokens
        notes = parts * session.output_tokens
        read = tokens
        calls = parts if unread is None else unread
        while notes > session.text_tokens:
            groups = ceil(notes / session.text_tokens / _GROUP_FILLED)
            calls, read = calls + groups, read + notes
            notes = groups * min(session.text_tokens // 4, session.output_tokens) + notes // 3
        calls, read = calls + 1, read + notes
        output = calls * answer
        return cls(
            calls=calls,
            size=CallSize(tokens=read + calls * session.frame_tokens + output, output_tokens=output),
        )

    @property
    def is_allowed(self) -> bool:
        """Whether one document may take so much."""
        return not settings.DOCUMENT_MAX_CALLS or self.calls <= settings.DOCUMENT_MAX_CALLS

    def public(self) -> dict[str, Any]:
        """Return the fields that clients get. `cost` is in millionths of a unit of money."""
        size = self.size
        money = cost_of(
            settings.OPENAI_MODEL,
            input_tokens=size.tokens - size.output_tokens,
            output_tokens=size.output_tokens,
        )
        found = {"calls": self.calls, "tokens": size.tokens}
        return found if money is None else found | {"cost": money}
