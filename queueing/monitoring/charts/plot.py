"""A plot: its series, and the coordinates and texts that the template `queueing/_plot.html` draws.

All series share the labels of the x axis. `None` is an unknown value: a gap in a line, no bar.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .formats import Format


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
