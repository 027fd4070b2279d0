"""The checks: each is a function from the evidence to the violations of one rule."""

from collections.abc import Callable, Iterable

from tests.chaos.checks.answers import contradicted, doubled, lost, stuck, unanswered, wrong_text
from tests.chaos.checks.limits import exceeded, ghosts
from tests.chaos.checks.processes import crashed, grown, unready
from tests.chaos.checks.violation import Violation
from tests.chaos.evidence import Evidence


def foreign(evidence: Evidence) -> Iterable[Violation]:
    """No visitor receives an event of another one."""
    return [Violation("", text) for text in evidence.foreign]


#: Name of a rule -> its check.
CHECKS: dict[str, Callable[[Evidence], Iterable[Violation]]] = {
    "lost": lost,
    "doubled": doubled,
    "stuck": stuck,
    "contradicted": contradicted,
    "wrong text": wrong_text,
    "unanswered": unanswered,
    "foreign": foreign,
    "limits": exceeded,
    "ghosts": ghosts,
    "readyz": unready,
    "growth": grown,
    "crashes": crashed,
}


def judge(evidence: Evidence) -> dict[str, list[Violation]]:
    """Return the violations of each rule."""
    return {name: list(check(evidence)) for name, check in CHECKS.items()}


__all__ = ["CHECKS", "Violation", "judge"]
