"""Numbers and seconds that callers give."""

import math

#: Seconds of a year. Anything longer is a mistake in the unit.
YEAR = 366 * 24 * 3600


def is_number(value: object) -> bool:
    """Return whether `value` is a finite number, and not a bool."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_duration(value: object) -> bool:
    """Return whether `value` is a number of seconds above 0, up to a year."""
    return is_number(value) and 0 < value <= YEAR  # type: ignore[operator]
