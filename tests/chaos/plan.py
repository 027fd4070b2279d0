"""When each fault begins and ends: decided by the seed alone, before the run."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault

#: Seconds of load before the first fault, and without a fault at the end.
QUIET_START, QUIET_END = 6.0, 4.0
#: Seconds between the end of a fault and the begin of the next one.
GAP = (2.0, 8.0)
#: The share of faults that begin while the previous one is in progress.
OVERLAPPING = 0.3


@dataclass(frozen=True)
class Planned:
    """One fault, in seconds from the begin of the load."""

    at: float
    name: str
    seconds: float
    dice: int
    """The seed of what the fault itself chooses, for example which worker."""

    @property
    def until(self) -> float:
        return self.at + self.seconds


def plan(seed: int, length: float, faults: Sequence[Fault]) -> list[Planned]:
    """Return the faults of a run of `length` seconds. Each kind comes once before any comes again.

    Faults of the same target never overlap, because one would end the other.
    """
    dice = random.Random(seed)
    planned: list[Planned] = []
    free: dict[str, float] = {}
    deck: list[Fault] = []
    at = QUIET_START
    while faults:
        deck = deck or dice.sample(list(faults), len(faults))
        fault = deck.pop()
        at = max(at, free.get(fault.target, 0.0))
        seconds = round(dice.uniform(*fault.seconds), 1)
        if at + seconds > length - QUIET_END:
            return planned
        planned.append(Planned(round(at, 1), fault.name, seconds, dice.randrange(1 << 30)))
        free[fault.target] = at + seconds + 2.0
        overlaps = dice.random() < OVERLAPPING
        at += seconds * dice.uniform(0.2, 0.8) if overlaps else seconds + dice.uniform(*GAP)
    return planned
