"""Numbers as people read them, and the tick values of axes."""

import math
from collections.abc import Callable

#: The steps of an axis are one of these numbers times a power of ten.
_STEPS = (1, 2, 2.5, 5, 10)
#: The greatest value of an axis is at least and at most this.
_SMALLEST, _LARGEST = 1e-9, 1e300

Format = Callable[[float], str]


def ticks(greatest: float, *, whole: bool = False) -> list[float]:
    """Return 0 and up to five more values in even steps; the last is at least `greatest`.

    With `whole` all values are whole numbers. A negative or invalid `greatest` counts as 0.
    """
    if not greatest >= (1.0 if whole else _SMALLEST):
        greatest = 1.0
    greatest = min(greatest, _LARGEST)
    power = 10.0 ** math.floor(math.log10(greatest / 4))
    step = next(factor * power for factor in _STEPS if factor * power >= greatest / 4 * (1 - 1e-9))
    if whole:
        step = float(math.ceil(step - 1e-9))
    return [number * step for number in range(math.ceil(greatest / step - 1e-9) + 1)]


def count(value: float) -> str:
    """Format a number in few characters: `950`, `1.2k`, `34M`, `1e18`."""
    if value < 1000:
        return f"{value:.3g}" if value != round(value) else f"{value:.0f}"
    for letter in ("k", "M", "B", "T"):
        value /= 1000
        if value < 999.5:
            return f"{value:.2g}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return f"{value * 1e12:.0e}".replace("e+", "e")


def whole(value: float) -> str:
    """Format all digits: `1,234,567`."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """Format a duration: `50 ms`, `2.3 s`, `4 min`, `2 h`, `3 d`."""
    if value == 0:
        return "0 s"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    for unit, size, limit in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if value < limit:
            return f"{value / size:.2g} {unit}" if value / size < 10 else f"{value / size:.0f} {unit}"
    return f"{count(value / 86_400)} d"


def share(value: float) -> str:
    """Format a share: 0 to 1 as `0%` to `100%`."""
    return f"{value * 100:.0f}%" if value in (0, 1) or value >= 0.0995 else f"{value * 100:.1f}%"


def money(value: float, sign: str = "$") -> str:
    """Format an amount in few characters: `$0.0042`, `$1.30`, `$12k`."""
    if value >= 1000:
        return sign + count(value)
    if value >= 0.995 or value < 1e-6:
        return f"{sign}{value:.2f}"
    digits = min(6, 1 - math.floor(math.log10(value)))
    text = f"{sign}{value:.{digits}f}"
    return text.removesuffix("0") if digits > 2 else text


def cents(value: float, sign: str = "$") -> str:
    """Format an amount to the cent; less than a cent with more digits: `$1,234.50`, `$0.0042`."""
    return f"{sign}{value:,.2f}" if value >= 0.01 else money(value, sign)
