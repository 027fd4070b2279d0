"""The event that a caller tracks, before it is checked, hashed and stored."""

from typing import NamedTuple

from .event_names import Value


class TrackedEvent(NamedTuple):
    """An event as its caller reports it."""

    at: float
    """Seconds since 1970."""
    name: str
    owner: str
    """The owner, which leaves this process only as a hash; empty without a visitor."""
    companion: str
    properties: dict[str, Value]
