"""What a look of the doctor finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

OK, WARNING, PROBLEM = "ok", "warning", "problem"
#: The levels, each with the exit code of a run in which it is the worst.
EXIT_CODES = {OK: 0, WARNING: 1, PROBLEM: 2}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: str
    """`ok`, `warning` (it works, but needs attention) or `problem` (it does not work)."""
    text: str
    """What is so, in one line, without secrets."""
    advice: str = ""
    """What to do about it; empty if nothing."""


@dataclass(frozen=True)
class Look:
    """A thing to look at."""

    name: str
    """One word, such as `redis`."""
    examine: Callable[[], Iterable[Finding]]
    """May raise, and may hang."""
    advice: str
    """What to do if it raises or hangs."""
    deadline: float = 15.0
    """Seconds."""


def worst(findings: Iterable[Finding]) -> str:
    """Return the worst level of some findings."""
    return max((finding.level for finding in findings), key=list(EXIT_CODES).index, default=OK)


def one_line(text: object) -> str:
    """Return a text of another program on one line, without characters that control a terminal."""
    return inert(" ".join(str(text).split()))[:500]


def inert(text: str) -> str:
    """Return a text without characters that control a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
