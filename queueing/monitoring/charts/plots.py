"""Draws plots: the coordinates of bars, lines and axes."""

from .formats import ticks
from .plot import Bar, Dot, Line, Plot, Tick

#: The size of the drawing in its own units, about one pixel each on a phone.
WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 6, 10, 24
_WIDE, _HIGH = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
#: The maximum number of labels on the x axis.
_MAX_LABELS = 5
#: The width of a letter of a label, and the space between two labels.
_LETTER, _GAP = 6.5, 8
#: The maximum number of dots that are drawn large, as targets for a pointer.
_MAX_LARGE_DOTS = 31


def bars(plot: Plot, *, whole: bool = True, min_top: float = 0.0) -> Plot:
    """Draw the series as stacked bars. The y axis reaches at least to `min_top`."""
    totals = [
        sum(value or 0 for value in stack) for stack in zip(*(s.values for s in plot.series), strict=True)
    ]
    top = _draw_axes(plot, max([min_top, *totals]), whole)
    step = _WIDE / max(1, len(plot.labels))
    width = step * (0.5 if len(plot.labels) < 3 else 0.76)
    floors = [0.0] * len(plot.labels)
    for series in plot.series:
        for number, value in enumerate(series.values):
            if not value:
                continue
            high = _height(value, top)
            floors[number] += high
            x, y = LEFT + step * number + (step - width) / 2, TOP + _HIGH - floors[number]
            title = f"{plot.labels[number]}: {plot.format_short(value)}"
            title += f" {series.name}" if plot.legend else ""
            plot.bars.append(
                Bar(round(x, 2), round(y, 2), round(width, 2), round(high, 2), series.style, title)
            )
    return plot


def lines(plot: Plot) -> Plot:
    """Draw the series as lines, with gaps at unknown values; a single value is a dot."""
    known = [value for series in plot.series for value in series.values if value is not None]
    top = _draw_axes(plot, max(known, default=0), whole=False)
    step = _WIDE / max(1, len(plot.labels))
    for series in plot.series:
        pieces: list[list[str]] = [[]]
        dots = []
        for number, value in enumerate(series.values):
            if value is None:
                pieces.append([])
                continue
            x = round(LEFT + step * (number + 0.5), 2)
            y = round(TOP + _HIGH - _height(value, top), 2)
            pieces[-1].append(f"{x},{y}")
            dots.append(Dot(x, y, f"{plot.labels[number]}: {plot.format_short(value)} {series.name}"))
        unbroken = [" ".join(piece) for piece in pieces if len(piece) > 1]
        plot.lines.append(Line(series.style, unbroken, dots, 2.5 if len(dots) <= _MAX_LARGE_DOTS else 1.25))
    return plot


def _height(value: float, top: float) -> float:
    return min(1.0, max(0.0, value / top)) * _HIGH


def _draw_axes(plot: Plot, greatest: float, whole: bool) -> float:
    """Put ticks on both axes, and return the value at the top of the y axis."""
    values = ticks(greatest, whole=whole)
    top = values[-1]
    plot.y_ticks = [
        Tick(round(TOP + _HIGH - _height(v, top), 2), plot.format_short(v), "end") for v in values
    ]
    step = _WIDE / max(1, len(plot.labels))
    width = _LETTER * max(map(len, plot.labels), default=0)
    most = max(1, min(_MAX_LABELS, int(_WIDE / (1.5 * width + _GAP))))
    every = -(-len(plot.labels) // most)
    last = len(plot.labels) - 1
    for number, label in enumerate(plot.labels):
        if (last - number) % every == 0:
            at, anchor = LEFT + step * (number + 0.5), "middle"
            if at + width / 2 > WIDTH:  # a label that would cross the right edge ends there
                at, anchor = LEFT + _WIDE, "end"
            plot.x_ticks.append(Tick(round(at, 2), label, anchor))
    return top
