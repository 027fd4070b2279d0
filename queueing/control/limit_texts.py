"""Limits as people read and write them: the same labels and notation in each user interface."""

from typing import Any

from queueing.conf import Limiter
from queueing.errors import BadValue
from queueing.monitoring.charts import formats

#: Field of `QueueDef` -> label. These are the limits that operators can change (`live_limits.NAMES`).
LABELS = {
    "concurrency": "Max active jobs per cluster",
    "global_concurrency": "Max active jobs in total",
    "owner_concurrency": "Max active jobs per owner",
    "limiter": "Rate limit",
}
NO_LIMIT = "no limit"


def plain(limit: Any) -> Any:
    """Return a limit without its class: a number, (starts, seconds), or None."""
    return (limit.max, limit.duration) if isinstance(limit, Limiter) else limit


def in_words(limit: Any) -> str:
    """Return a limit for people: `3`, `5 per 60 s` or `no limit`."""
    value = plain(limit)
    if not value:
        return NO_LIMIT
    return str(value) if isinstance(value, int) else f"{value[0]} per {formats.seconds(value[1])}"


def notation(limit: Any, *, nothing: str = "none") -> str:
    """Return a limit as commands and forms take it: `3`, `5/60`, or `nothing` for no limit."""
    value = plain(limit)
    if not value:
        return nothing
    return str(value) if isinstance(value, int) else f"{value[0]}/{value[1]:.12g}"


def parse_limiter(text: str) -> tuple[int, float] | None:
    """Return (starts, seconds) for `5/60`, and None for `none`, `0` or an empty text. Raise `BadValue`."""
    if text.strip() in ("", "0", "none"):
        return None
    try:
        starts, window = text.split("/")
        return int(starts), float(window)
    except ValueError:
        raise BadValue("limiter", f"expected starts/seconds such as 5/60, or none, not {text!r}") from None


def changes(limits: dict[str, Any]) -> str:
    """Return the labels and values of `limits` in one line, or `none`."""
    return ", ".join(f"{LABELS[name]} {in_words(value)}" for name, value in limits.items()) or "none"
