"""Token estimates, and the newest messages of a conversation that fit into a budget."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from queueing.api import Permanent

from . import texts

#: Tokens that a chat template adds to each message: role markers and line ends.
MESSAGE_OVERHEAD = 6
#: Letters of a Latin script and spaces per token. Real tokenizers reach about four in English.
PROSE_CHARS_PER_TOKEN = 3

_PROSE = re.compile(r"[A-Za-z \t]+")
_ASCII = re.compile(r"[\x00-\x7f]+")


@dataclass(frozen=True)
class PromptMessage:
    """One message of a conversation, as the model gets it."""

    role: Literal["user", "assistant"]
    content: str


def estimate_tokens(text: str) -> int:
    """Return an estimate, rather too high, of the number of tokens of `text` for any model.

    Three plain letters or spaces make a token, every digit and punctuation mark is one, and so is
    every second byte of UTF-8 beyond ASCII: 1 for é or я, 1.5 for 字, 2 for most emoji. That is about
    right for small models and generous for large ones. A tokenizer would be exact for one model only.
    """
    marks_and_wide = _PROSE.sub("", text)
    wide = _ASCII.sub("", marks_and_wide)
    prose = len(text) - len(marks_and_wide)
    marks = len(marks_and_wide) - len(wide)
    return ceil(prose / PROSE_CHARS_PER_TOKEN) + marks + ceil(len(wide.encode(errors="replace")) / 2)


def message_cost(content: str) -> int:
    """Return the estimated tokens of one message, template included."""
    return estimate_tokens(content) + MESSAGE_OVERHEAD


def fit(messages: Sequence[PromptMessage], max_tokens: int) -> list[PromptMessage]:
    """Return the newest of `messages` that cost at most `max_tokens` together.

    The oldest are cut first; the last, which must be the user's, always stays. The result starts with
    a user message and alternates: neighbours of one role (a failed answer leaves two questions in a
    row) are joined, because some models' templates refuse anything else.

    Raise `Permanent` (`too_long`) when the last message does not fit even alone, `Permanent`
    (`not_configured`) when no message would, and `ValueError` when the last message is not a user's.
    """
    if not messages or messages[-1].role != "user":
        raise ValueError("the last message must be the user's")
    start = _first_that_fits(messages, max_tokens)
    if start == len(messages):
        raise _does_not_fit(messages[-1].content, max_tokens - MESSAGE_OVERHEAD)
    while messages[start].role != "user":
        start += 1
    return _alternating(messages[start:])


def _first_that_fits(messages: Sequence[PromptMessage], max_tokens: int) -> int:
    """Return the lowest index from which everything to the end costs at most `max_tokens`."""
    start = len(messages)
    while start:
        max_tokens -= message_cost(messages[start - 1].content)
        if max_tokens < 0:
            break
        start -= 1
    return start


def _alternating(messages: Sequence[PromptMessage]) -> list[PromptMessage]:
    joined: list[PromptMessage] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            # Costs less than the message overhead it saves, so the budget still holds.
            joined[-1] = replace(message, content=f"{joined[-1].content}\n\n{message.content}")
        else:
            joined.append(message)
    return joined


def _does_not_fit(content: str, max_tokens: int) -> Permanent:
    if max_tokens <= 0:
        return Permanent(texts.NOT_CONFIGURED, code="not_configured")
    # In characters of this text's kind: a Chinese text has fewer to the token than an English one.
    characters = max(len(content) * max_tokens // estimate_tokens(content) // 10 * 10, 1)
    return Permanent(texts.too_long(characters), code="too_long")
