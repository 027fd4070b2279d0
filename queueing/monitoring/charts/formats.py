"""The arithmetic of axes, and numbers as people read them."""

import math
from collections.abc import Callable

#: Steps of an axis are one of these times a power of ten.
_NICE = (1, 2, 2.5, 5, 10)
_SMALLEST, _LARGEST = 1e-9, 1e300

Say = Callable[[float], str]


def ticks(most: float, *, whole: bool = False) -> list[float]:
    """0 and three to five more even values, the last of which is at least `most`.

    `whole`: only whole numbers, so perhaps fewer. What is no number, or below 0, counts as nothing.
    """
    if not most >= (1.0 if whole else _SMALLEST):
        most = 1.0
    most = min(most, _LARGEST)
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(nice * power for nice in _NICE if nice * power >= most / 4 * (1 - 1e-9))
    if whole:
        step = float(math.ceil(step - 1e-9))
    return [number * step for number in range(math.ceil(most / step - 1e-9) + 1)]


def count(value: float) -> str:
    """`950`, `1.2k`, `34M`; powers of ten where there are no letters left."""
    if value < 1000:
        return f"{value:.3g}" if value != round(value) else f"{value:.0f}"
    for letter in ("k", "M", "B", "T"):
        value /= 1000
        if value < 999.5:
            return f"{value:.2g}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return f"{value * 1e12:.0e}".replace("e+", "e")


def whole(value: float) -> str:
    """`1,234,567`: all of it."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """`50 ms`, `2.3 s`, `4 min`, `2 h`."""
    if value == 0:
        return "0 s"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    for unit, size, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if value < most:
            return f"{value / size:.2g} {unit}" if value / size < 10 else f"{value / size:.0f} {unit}"
    return f"{count(value / 86_400)} d"


def share(value: float) -> str:
    """0 to 1 as `0%` to `100%`."""
    return f"{value * 100:.0f}%" if value in (0, 1) or value >= 0.0995 else f"{value * 100:.1f}%"


def money(value: float, sign: str = "$") -> str:
    """`$0.0042`, `$1.30`, `$12k`."""
    if value >= 1000:
        return sign + count(value)
    if value >= 0.995 or value < 1e-6:
        return f"{sign}{value:.2f}"
    digits = min(6, 1 - math.floor(math.log10(value)))
    said = f"{sign}{value:.{digits}f}"
    return said.removesuffix("0") if digits > 2 else said


def cents(value: float, sign: str = "$") -> str:
    """To the cent, or what there is of one: `$1,234.50`, `$0.0042`."""
    return f"{sign}{value:,.2f}" if value >= 0.01 else money(value, sign)
