"""How often the expected waits hold: `python -m bench.waits`.

Lines are simulated, without Redis or workers. In each, jobs come at random moments, and each job that must
wait is given the engine's forecast. Printed are the shares of the jobs that started within their range,
before it and after it, and the middle width of the range divided by the wait. “before” is the forecast that
the engine made until its version 1.1: between the quartiles of recent run times, as if all active jobs had
just started. The same seeds give the same figures.
"""

import argparse
import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from queueing.events.waits.forecast import Forecast, Range

Times = Callable[[Random, float], float]
Estimate = Callable[[list[float], list[float], int, int], Range | None]

#: Recent run times that the engine keeps of a queue.
KEPT = 100


class Line(NamedTuple):
    """A kind of line: the run times of its jobs (of a generator and the moment), and its slots."""

    name: str
    times: Times
    slots: int
    load: float = 1.1
    """Work that comes, divided by what the slots can do. Above 1 the line grows."""
    jobs: int = 400


def lognormal(median: float, spread: float) -> Times:
    """Return run times whose logarithm is normal."""
    return lambda random, _: median * math.exp(random.gauss(0, spread))


def mixed(random: Random, _: float) -> float:
    """Return a short time (0.3 s), or one in five times a long one (30 s)."""
    return random.uniform(20, 40) if random.random() < 0.2 else random.uniform(0.2, 0.4)


def slower(random: Random, now: float) -> float:
    """Return times that are three times as long after ten minutes: another model, a longer prompt."""
    return (3 if now > 600 else 1) * 4 * math.exp(random.gauss(0, 0.5))


def long_from_now_on(random: Random, now: float) -> float:
    """Return short times (0.3 s) in the first minute, and long ones (30 to 45 s) then."""
    return random.uniform(30, 45) if now > 60 else random.uniform(0.2, 0.4)


LINES = [
    Line("answers of 4 s, 3 slots", lognormal(4, 0.5), 3),
    Line("answers of 4 s, 1 slot", lognormal(4, 0.5), 1),
    Line("answers of 4 s, 20 slots", lognormal(4, 0.5), 20),
    Line("very different answers, 5 slots", lognormal(5, 1.2), 5),
    Line("short and long answers, 5 slots", mixed, 5),
    Line("always 10 s, 2 slots", lambda random, now: 10.0, 2),
    Line("three times slower later, 3 slots", slower, 3, jobs=900),
    Line("short ones until now, then long ones, 5 slots", long_from_now_on, 5, load=0.02, jobs=60),
    Line("the first 30 jobs of a site, 3 slots", lognormal(6, 0.8), 3, load=2, jobs=30),
]


@dataclass
class Told:
    """A range that a job was given, and when it started then, in seconds."""

    range: Range
    start: float


def simulate(line: Line, estimate: Estimate, seed: int) -> list[Told]:
    """Return the ranges of the jobs that had to wait, and when they started."""
    random = Random(seed)
    mean = statistics.fmean(line.times(random, 0.0) for _ in range(2000))
    gap = mean / line.slots / line.load
    recent: deque[float] = deque(maxlen=KEPT)
    active: list[tuple[float, float]] = []  # (end, start)
    waiting: deque[tuple[float, Range | None]] = deque()
    told: list[Told] = []
    now = 0.0

    def start(at: float) -> None:
        came, given = waiting.popleft()
        if given is not None:
            told.append(Told(given, at - came))
        heappush(active, (at + line.times(random, at), at))

    for _ in range(line.jobs):
        now += random.expovariate(1 / gap)
        while active and active[0][0] <= now:
            end, began = heappop(active)
            recent.appendleft(end - began)
            if waiting:
                start(end)
        running = [now - began for _, began in active]
        given = (
            estimate(list(recent), running, len(waiting), line.slots) if len(running) == line.slots else None
        )
        waiting.append((now, given))
        if len(active) < line.slots:
            start(now)
    while waiting:
        end, _ = heappop(active)
        start(end)
    return told


def as_shown(range_: Range | None) -> Range | None:
    """Return the range as clients see it, in whole seconds."""
    return range_ and Range(round(range_.low), math.ceil(range_.high))


def present(recent: list[float], running: list[float], ahead: int, slots: int) -> Range | None:
    """Return the engine's forecast."""
    return as_shown(Forecast(recent, running).start_of(ahead, active=len(running), capacity=slots))


def former(recent: list[float], running: list[float], ahead: int, slots: int) -> Range | None:
    """Return the forecast from quartiles."""
    if not recent:
        return None
    ordered, behind = sorted(recent), ahead + 1
    quick, slow = ordered[len(ordered) // 4], ordered[len(ordered) * 3 // 4]
    return as_shown(Range(behind / slots * quick, math.ceil(behind / slots) * slow))


def coverage(told: list[Told]) -> str:
    """Return the cells of a row of the table."""
    early = sum(one.start < one.range.low - 0.5 for one in told) / len(told)
    late = sum(one.start > one.range.high for one in told) / len(told)
    widths = [(one.range.high - one.range.low) / one.start for one in told if one.start > 1]
    width = statistics.median(widths) if widths else 0.0
    return f"{1 - early - late:.0%} | {early:.0%} | {late:.0%} | {width:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.waits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="simulations of each line")
    rounds = parser.parse_args().rounds
    print("| line | jobs | within | early | late | width | before: within | early | late | width |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    every: tuple[list[Told], list[Told]] = ([], [])
    for line in LINES:
        found = [
            [one for seed in range(rounds) for one in simulate(line, estimate, seed)]
            for estimate in (present, former)
        ]
        for all_told, told in zip(every, found, strict=True):
            all_told.extend(told)
        print(f"| {line.name} | {len(found[0])} | {coverage(found[0])} | {coverage(found[1])} |", flush=True)
    print(f"| all | {len(every[0])} | {coverage(every[0])} | {coverage(every[1])} |")


if __name__ == "__main__":
    main()
