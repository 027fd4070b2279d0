"""The finding of a check."""

from typing import NamedTuple


class Violation(NamedTuple):
    """One case in which a rule does not hold."""

    request_id: str
    """Empty when it is not about one request."""
    text: str
