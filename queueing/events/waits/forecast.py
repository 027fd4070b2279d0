"""When the jobs in line will start, forecast from recent run times and from how long active jobs have run.

The rest of the line is simulated many times. In each simulation an active job takes as long as one of the
recent jobs that took longer than it has been running, and a job in line as long as any of them. A job that
has been running for longer than all recent ones will take as long again: that is the median for such jobs
in any distribution without a scale.
`python -m bench.waits` measures how often the ranges hold.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import NamedTuple

#: Simulations of one forecast.
_SIMULATIONS = 64
#: The shares of the simulations in which a job starts before the range, and before its end.
_BEFORE, _WITHIN = 0.1, 0.9
#: Places in line that are simulated. The waits of later places are proportional to that of the last one.
_PLACES = 48
#: Recent run times that count: older ones are from another time of the day, or of another model.
_NEWEST = 60
#: How uncertain the run times are that one recent job suggests, as a standard deviation of their logarithm.
_UNCERTAINTY = 0.8
#: The weight of a job that is slower than all recent ones, beside each recent one that was slow enough; and
#: how many times as long as the slowest, or as so far, it runs at most.
_UNSEEN, _MAX_FACTOR = 0.3, 10.0


class Range(NamedTuple):
    """Seconds until a start."""

    low: float
    high: float


class Forecast:
    """The forecast for one queue at one moment.

    `durations` are the run times of recent jobs, the newest first; `running` is how long the active ones have
    run. In seconds.
    """

    def __init__(self, durations: Sequence[float], running: Sequence[float] = ()) -> None:
        self.durations = sorted(durations[:_NEWEST])
        self.running = sorted(running)
        self._ranges: dict[tuple[int, int], list[Range]] = {}

    def start_of(self, ahead: int, *, active: int, capacity: int) -> Range | None:
        """Return when the job with `ahead` others before it starts; None when nothing is known.

        `active` jobs run, of at most `capacity`.
        """
        if active + ahead < capacity:
            return Range(0.0, 0.0)
        if not self.durations:
            return None
        if (active, capacity) not in self._ranges:
            self._ranges[active, capacity] = self._simulate(active, capacity)
        ranges = self._ranges[active, capacity]
        if ahead < _PLACES:
            return ranges[ahead]
        times = (ahead + 1) / _PLACES
        return Range(ranges[-1].low * times, ranges[-1].high * times)

    def _simulate(self, active: int, capacity: int) -> list[Range]:
        """Return the ranges of the first `_PLACES` places in line."""
        random = Random(1)  # the same numbers each time: a forecast does not swing by itself  # noqa: S311
        running = ([0.0] * (active - len(self.running)) + self.running)[:active]
        columns: list[list[float]] = [[] for _ in range(_PLACES)]
        for _ in range(_SIMULATIONS):
            for column, start in zip(columns, self._starts(random, running, capacity), strict=True):
                column.append(start)
        return [_range(sorted(column)) for column in columns]

    def _starts(self, random: Random, running: list[float], capacity: int) -> list[float]:
        """Return the start of each place in one simulation."""
        count = len(self.durations)
        pace = math.exp(random.gauss(0, _UNCERTAINTY / math.sqrt(count)))
        slowest = max(self.durations[-1], *running, 0.0) * min(1 / (1 - random.random()), _MAX_FACTOR)
        left = [pace * self._time_left(random, seconds, slowest) for seconds in running]
        # Where active jobs are slower than all recent ones, those in line may be so as well.
        slower = sum(seconds > self.durations[-1] for seconds in running)
        pool = [slowest] if 2 * random.random() * len(running) < slower else self.durations
        busy, start, starts = left, 0.0, []
        heapify(busy)
        for _ in range(_PLACES):
            while len(busy) >= capacity:
                start = heappop(busy)
            heappush(busy, start + pace * pool[int(random.random() * len(pool))])
            starts.append(start)
        return starts

    def _time_left(self, random: Random, seconds: float, slowest: float) -> float:
        """Return how much longer a job runs that has been running for `seconds`.

        Jobs that are slower than all recent ones are of one kind: in one simulation, all take `slowest`.
        """
        first = bisect_right(self.durations, seconds)
        longer = len(self.durations) - first
        choice = random.random() * (longer + _UNSEEN)
        return (self.durations[first + int(choice)] if choice < longer else slowest) - seconds


def _range(starts: list[float]) -> Range:
    last = len(starts) - 1
    return Range(starts[round(_BEFORE * last)], starts[round(_WITHIN * last)])
