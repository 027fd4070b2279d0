"""A health warning, and its levels."""

from dataclasses import dataclass

OK, WARNING, CRITICAL = "ok", "warning", "critical"


@dataclass(frozen=True)
class HealthWarning:
    """A problem that an operator should check."""

    level: str
    """`warning` or `critical`."""
    code: str
    """A stable word, such as `no_workers`."""
    queue: str
    """The name of the queue; empty for a problem of all queues."""
    text: str
    """A sentence, with a fix if there is one. It never quotes payloads."""
    of: str = "site"
    """`queues` for those of the engine, which all people may see without the text; else `site`."""
