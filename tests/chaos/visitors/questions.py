"""What visitors ask, and what the answer must be."""

import random
from dataclasses import dataclass

from tests.chaos.provider import REFUSED, SHARED, answer_to, said_in

TOPICS = ["trams", "tiles", "rainy days", "the river", "old cafés", "music", "markets", "hills", "bridges"]
#: What is asked -> its share.
MIX = {
    "unique": 0.68,
    "shared": 0.07,
    "cancelled": 0.04,
    "refused": 0.02,
    "recording": 0.03,
    "document": 0.01,
    "work": 0.05,
    "plain": 0.04,
    "limited": 0.02,
    "new": 0.02,
    "grown": 0.02,
}
#: Completed is the only right end, unless it says otherwise.
WISHES = {"cancelled": "any", "refused": "failed"}


@dataclass(frozen=True)
class Question:
    """One thing to ask."""

    request_id: str
    what: str
    """A key of MIX."""
    text: str
    expected: str | None
    """The answer, byte for byte; None where the provider does not decide it."""
    seconds: float = 0.0

    @property
    def wish(self) -> str:
        """The right end: `completed`, `failed`, or `any`."""
        return WISHES.get(self.what, "completed")

    @property
    def is_chat(self) -> bool:
        return self.what in ("unique", "shared", "cancelled", "refused")


def question(request_id: str, what: str, dice: random.Random) -> Question:
    """Return a question of the given sort."""
    topic = dice.choice(TOPICS)
    text, expected = f"{request_id} What about {topic}?", None
    match what:
        case "shared":
            text = f"{SHARED} {dice.randrange(6)}: what about {topic}?"
        case "refused":
            text += f" ({REFUSED})"
        case "recording":
            expected = said_in(request_id)
        case "document":
            text = f"# {topic}\n\n" + " ".join(
                f"The town counted {n} visitors in year {n}." for n in range(40)
            )
        case "work" | "plain" | "limited" | "new" | "grown":
            expected = answer_to(request_id)
    if what in ("unique", "shared", "cancelled"):
        expected = answer_to(text)
    return Question(request_id, what, text, expected, round(dice.uniform(0.05, 0.8), 2))
