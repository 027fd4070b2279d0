"""How much of a conversation a companion's model is given: the newest turns that fit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from queueing.api import Permanent

#: Tokens a chat template spends around each turn: role markers and line ends.
TURN_OVERHEAD = 6
#: Letters of a Latin script and spaces per token. Real tokenizers reach about four in English.
PROSE_CHARS_PER_TOKEN = 3

_PROSE = re.compile(r"[A-Za-z \t]+")
_ASCII = re.compile(r"[\x00-\x7f]+")


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


def estimate_tokens(text: str) -> int:
    """Guess, on the high side, how many tokens `text` is to any model.

    Three plain letters or spaces make a token, every digit and punctuation mark is one, and so is
    every second byte of UTF-8 beyond ASCII: 1 for é or я, 1.5 for 字, 2 for most emoji. That is about
    right for small models and generous for large ones. A tokenizer would be exact for one alone.
    """
    marks_and_wide = _PROSE.sub("", text)
    wide = _ASCII.sub("", marks_and_wide)
    prose = len(text) - len(marks_and_wide)
    marks = len(marks_and_wide) - len(wide)
    return ceil(prose / PROSE_CHARS_PER_TOKEN) + marks + ceil(len(wide.encode(errors="replace")) / 2)


def turn_cost(content: str) -> int:
    """Estimated tokens of one turn, template included."""
    return estimate_tokens(content) + TURN_OVERHEAD


def fit(
    instructions: str, turns: Sequence[Turn], *, context_tokens: int, max_output_tokens: int
) -> list[Turn]:
    """Return the newest of `turns` that leave room for `instructions` and the answer.

    The oldest are cut first; the last, which must be the user's, always stays. The result starts with
    a user turn and alternates: neighbours of one role (an answer that failed leaves two questions in
    a row) become one turn, because some models' templates refuse anything else.

    Raises `Permanent` (`too_long`) when the last turn does not fit even alone, `Permanent`
    (`not_configured`) when the instructions leave no room for anything, and `ValueError` when the
    last turn is not a user's.
    """
    if not turns or turns[-1].role != "user":
        raise ValueError("the last turn must be the user's")
    budget = context_tokens - max_output_tokens - turn_cost(instructions)
    start = _first_that_fits(turns, budget)
    if start == len(turns):
        raise _no_room(turns[-1].content, budget - TURN_OVERHEAD)
    while turns[start].role != "user":
        start += 1
    return _alternating(turns[start:])


def _first_that_fits(turns: Sequence[Turn], budget: int) -> int:
    """Index of the oldest turn from which everything to the end costs at most `budget` tokens."""
    start = len(turns)
    while start:
        budget -= turn_cost(turns[start - 1].content)
        if budget < 0:
            break
        start -= 1
    return start


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            # Costs less than the turn overhead it saves, so the budget still holds.
            joined[-1] = replace(turn, content=f"{joined[-1].content}\n\n{turn.content}")
        else:
            joined.append(turn)
    return joined


def _no_room(content: str, room: int) -> Permanent:
    if room <= 0:
        return Permanent(
            "The companion's model is set up with too little room for a conversation. "
            "Please tell whoever runs this site.",
            code="not_configured",
        )
    # In characters like these: a Chinese text has fewer to the token than an English one.
    characters = max(len(content) * room // estimate_tokens(content) // 10 * 10, 1)
    return Permanent(
        "This message is too long for the companion to read at once. "
        f"Please shorten it to about {characters:,} characters.",
        code="too_long",
    )
