"""Plots as the template `queueing/_plot.html` draws them: where everything stands, and in what words.

Series share the labels of the x axis. `None` is "not known": a gap in a line, no bar.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .formats import Say, ticks

#: The drawing, in units of which a phone shows about one a pixel.
WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 6, 10, 24
_WIDE, _HIGH = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
#: Labels the x axis has room for.
_LABELS = 5
#: Half of a label's width: one that would reach beyond the edge ends there instead.
_HALF_LABEL = 22
#: Dots of lines with up to so many are large enough to be met with a pointer.
_FEW = 31


class Series(NamedTuple):
    """Numbers, one for each label of the x axis."""

    name: str
    look: str
    """A class of plots.css."""
    values: Sequence[float | None]


class Tick(NamedTuple):
    """A label on an axis."""

    at: float
    label: str
    anchor: str = "middle"
    """The end of the text that stands there: `start`, `middle` or `end`."""


class Bar(NamedTuple):
    """A rectangle, and what is said of it."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str


class Dot(NamedTuple):
    """A point of a line."""

    x: float
    y: float
    title: str


class Line(NamedTuple):
    """The unbroken pieces of a line (as SVG points), and its dots."""

    look: str
    pieces: list[str]
    dots: list[Dot]
    radius: float


@dataclass(kw_only=True)
class Plot:
    """A drawing and the same as a table."""

    title: str
    x_name: str
    """What its labels are: the head of the table's first column."""
    labels: list[str]
    series: list[Series]
    say: Say
    """A number in few characters."""
    say_in_full: Say
    """For the table."""
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)

    @property
    def id(self) -> str:
        """For the page's references to it."""
        return self.title.lower().replace(" ", "-")

    @property
    def about(self) -> str:
        """What is to be seen, for those who do not see it."""
        if self.is_empty:
            return "There is nothing to show for this time."
        parts = [
            f"{series.name}: at most {self.say(max(known))}, last {self.say(known[-1])}"
            for series in self.series
            if (known := [value for value in series.values if value is not None])
        ]
        first, last = self.labels[0], self.labels[-1]
        said = "; ".join(parts)
        return f"By {self.x_name.lower()}, from {first} to {last}. {said}. The table has all numbers."

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for series in self.series for value in series.values)

    @property
    def legend(self) -> list[Series]:
        """Who is who, where there are several."""
        return self.series if len(self.series) > 1 else []

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: a label, and each series' number in words."""
        columns = zip(*(series.values for series in self.series), strict=True)
        return [
            (label, ["–" if value is None else self.say_in_full(value) for value in row])
            for label, row in zip(self.labels, columns, strict=True)
        ]


def bars(plot: Plot, *, whole: bool = True, least: float = 0.0) -> Plot:
    """Draw the series as bars, each on top of the one before; the axis reaches `least` at least."""
    totals = [
        sum(value or 0 for value in stack) for stack in zip(*(s.values for s in plot.series), strict=True)
    ]
    top = _draw_axes(plot, max([least, *totals]), whole)
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
            title = f"{plot.labels[number]}: {plot.say(value)}"
            title += f" {series.name}" if plot.legend else ""
            plot.bars.append(
                Bar(round(x, 2), round(y, 2), round(width, 2), round(high, 2), series.look, title)
            )
    return plot


def lines(plot: Plot) -> Plot:
    """Draw the series as lines, broken where nothing is known; what stands alone is a dot."""
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
            dots.append(Dot(x, y, f"{plot.labels[number]}: {plot.say(value)} {series.name}"))
        unbroken = [" ".join(piece) for piece in pieces if len(piece) > 1]
        plot.lines.append(Line(series.look, unbroken, dots, 2.5 if len(dots) <= _FEW else 1.25))
    return plot


def _height(value: float, top: float) -> float:
    return min(1.0, max(0.0, value / top)) * _HIGH


def _draw_axes(plot: Plot, most: float, whole: bool) -> float:
    """Put ticks on both axes; the value at the top of the y axis."""
    values = ticks(most, whole=whole)
    top = values[-1]
    plot.y_ticks = [Tick(round(TOP + _HIGH - _height(v, top), 2), plot.say(v), "end") for v in values]
    step = _WIDE / max(1, len(plot.labels))
    every = -(-len(plot.labels) // _LABELS)
    last = len(plot.labels) - 1
    for number, label in enumerate(plot.labels):
        if (last - number) % every == 0:
            at, anchor = LEFT + step * (number + 0.5), "middle"
            if at + _HALF_LABEL > WIDTH:
                at, anchor = LEFT + _WIDE, "end"
            plot.x_ticks.append(Tick(round(at, 2), label, anchor))
    return top
