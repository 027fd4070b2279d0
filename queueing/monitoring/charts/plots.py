"""Plots for the template `queueing/_plot.html`: the coordinates and texts of bars, lines and axes.

All series share the labels of the x axis. `None` is an unknown value: a gap in a line, no bar.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .formats import Format, ticks

#: The size of the drawing in its own units, about one pixel each on a phone.
WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 6, 10, 24
_WIDE, _HIGH = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
#: The maximum number of labels on the x axis.
_MAX_LABELS = 5
#: Half the width of a label. A label that would cross the right edge ends there.
_HALF_LABEL = 22
#: The maximum number of dots that are drawn large, as targets for a pointer.
_MAX_LARGE_DOTS = 31


class Series(NamedTuple):
    """A name and one value for each label of the x axis."""

    name: str
    style: str
    """A class of plots.css."""
    values: Sequence[float | None]


class Tick(NamedTuple):
    """A label on an axis."""

    at: float
    label: str
    anchor: str = "middle"
    """The part of the text that is at `at`: `start`, `middle` or `end`."""


class Bar(NamedTuple):
    """A rectangle and its tooltip."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


class Dot(NamedTuple):
    """A point of a line and its tooltip."""

    x: float
    y: float
    title: str


class Line(NamedTuple):
    """A line: its unbroken pieces as SVG points, and its dots."""

    style: str
    pieces: list[str]
    dots: list[Dot]
    radius: float


@dataclass(kw_only=True)
class Plot:
    """A drawing, and the same values as a table."""

    title: str
    x_title: str
    """The heading of the table's first column."""
    labels: list[str]
    series: list[Series]
    format_short: Format
    """For the axis and the tooltips."""
    format_full: Format
    """For the table."""
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id of the figure on the page."""
        return self.title.lower().replace(" ", "-")

    @property
    def description(self) -> str:
        """A summary for screen readers."""
        if self.is_empty:
            return "The plot is empty."
        parts = [
            f"{series.name}: max. {self.format_short(max(known))}, last {self.format_short(known[-1])}"
            for series in self.series
            if (known := [value for value in series.values if value is not None])
        ]
        first, last = self.labels[0], self.labels[-1]
        period = f"By {self.x_title.lower()}, from {first} to {last}."
        return f"{period} {'; '.join(parts)}. All values are in the table."

    @property
    def is_empty(self) -> bool:
        """True if no value is greater than 0."""
        return not any(value for series in self.series for value in series.values)

    @property
    def legend(self) -> list[Series]:
        """The series, if there are several."""
        return self.series if len(self.series) > 1 else []

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The rows of the table: a label and the formatted value of each series."""
        columns = zip(*(series.values for series in self.series), strict=True)
        return [
            (label, ["–" if value is None else self.format_full(value) for value in row])
            for label, row in zip(self.labels, columns, strict=True)
        ]


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
    every = -(-len(plot.labels) // _MAX_LABELS)
    last = len(plot.labels) - 1
    for number, label in enumerate(plot.labels):
        if (last - number) % every == 0:
            at, anchor = LEFT + step * (number + 0.5), "middle"
            if at + _HALF_LABEL > WIDTH:
                at, anchor = LEFT + _WIDE, "end"
            plot.x_ticks.append(Tick(round(at, 2), label, anchor))
    return top
