"""All visitors of a run, and the pace at which they ask."""

import asyncio
import random
import time
from collections.abc import Iterator

from tests.chaos.visitors.transcript import Transcript
from tests.chaos.visitors.visitor import Visitor

#: Unfinished questions of one visitor, above which others ask.
PATIENCE = 12
#: Seconds after the planned end of the load in which the rest is still asked.
OVERTIME = 20.0


class Crowd:
    """The visitors of a run."""

    def __init__(self, count: int, seed: int, addresses: list[str]) -> None:
        self._dice = random.Random(f"{seed}/crowd")
        self.visitors = [Visitor(number, seed, addresses) for number in range(count)]

    async def arrive(self) -> None:
        await asyncio.gather(*(visitor.arrive() for visitor in self.visitors))

    async def ask(self, jobs: int, seconds: float) -> None:
        """Ask `jobs` questions in `seconds`, evenly.

        Visitors with many open questions wait. When all of them wait at the end, fewer questions are asked.
        """
        began = time.monotonic()
        for number in range(jobs):
            await asyncio.sleep(began + number * seconds / jobs - time.monotonic())
            while not (free := [visitor for visitor in self.visitors if len(visitor.open) < PATIENCE]):
                if time.monotonic() > began + seconds + OVERTIME:
                    return
                await asyncio.sleep(0.2)
            self._dice.choice(free).ask()

    def transcripts(self) -> Iterator[Transcript]:
        for visitor in self.visitors:
            yield from visitor.transcripts.values()

    def unfinished(self) -> list[Transcript]:
        """Return the questions that are not accepted, or have not ended."""
        return [transcript for visitor in self.visitors for transcript in visitor.open.values()]

    async def look(self) -> None:
        await asyncio.gather(*(visitor.look() for visitor in self.visitors))

    async def leave(self) -> None:
        await asyncio.gather(*(visitor.leave() for visitor in self.visitors))
