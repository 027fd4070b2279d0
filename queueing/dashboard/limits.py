"""A queue's limits as the form shows and says them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from queueing.conf import Limiter, QueueDef, get_queue
from queueing.errors import BadValue
from queueing.limits.live_limits import effective
from queueing.monitoring.charts import formats

#: Name -> label, and what 0 means.
_NUMBERS = {
    "concurrency": ("At once, per cluster", ""),
    "global_concurrency": ("At once, over all clusters", "no cap"),
    "owner_concurrency": ("At once, of one owner", "no cap"),
}

#: What the form shows where there is no limiter.
_NONE = Limiter(max=0, duration=60)


class Limit(NamedTuple):
    """A field of the form."""

    name: str
    label: str
    now: str
    settings: str
    zero: str
    """What 0 means, where it may be 0."""


def limits_of(queue: str) -> list[Limit]:
    """The fields, filled with what holds now. Blocks."""
    now, settings = effective(queue), get_queue(queue)
    found = [
        Limit(name, label, str(getattr(now, name)), str(getattr(settings, name)), zero)
        for name, (label, zero) in _NUMBERS.items()
    ]
    pair, other = now.limiter or _NONE, settings.limiter or _NONE
    return [
        *found,
        Limit("limiter_max", "Starts in a window", str(pair.max), str(other.max), "no limiter"),
        Limit("limiter_seconds", "Seconds of the window", f"{pair.duration:g}", f"{other.duration:g}", ""),
    ]


def wanted_limits(queue: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Which limits the form's `values` would change, as `operating.set_limits` takes them. Blocks.

    Raises `BadValue` for what is no number.
    """
    now = effective(queue)
    wanted: dict[str, Any] = {name: _number(name, values[name]) for name in _NUMBERS if name in values}
    changed = {name: value for name, value in wanted.items() if value != getattr(now, name)}
    if "limiter_max" in values:
        most = _number("limiter_max", values["limiter_max"])
        seconds = _seconds(values.get("limiter_seconds", "")) if most else 0.0
        limiter = Limiter(max=most, duration=seconds) if most else None
        if limiter != now.limiter:
            changed["limiter"] = (most, seconds) if most else None
    return changed


def said_limits(queue: str) -> list[str]:
    """What resetting would change, a sentence a limit. Blocks."""
    now, settings = _said(effective(queue)), _said(get_queue(queue))
    changed = [
        f"{label}: {settings[label]} instead of {said}."
        for label, said in now.items()
        if settings[label] != said
    ]
    return changed or ["It has the limits of the settings already."]


def _said(queue: QueueDef) -> dict[str, str]:
    said = {label: str(getattr(queue, name) or zero) for name, (label, zero) in _NUMBERS.items()}
    limiter = queue.limiter
    said["Limiter"] = f"{limiter.max} in {formats.seconds(limiter.duration)}" if limiter else "none"
    return said


def _number(name: str, text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise BadValue(name, "This takes a whole number from 0.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadValue("limiter_seconds", "This takes a number of seconds.") from None
