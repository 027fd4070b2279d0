"""Steps of the wall clock of one host. Redis, the database and the provider keep their time."""

import random
from collections.abc import AsyncIterator

from tests.chaos.faults.registry import fault
from tests.chaos.system import System


@fault("clock.forward", target="clock", seconds=(3, 20))
async def forward(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Step the clock of one host forward by two minutes or an hour, and later back."""
    with dice.choice(system.hosts).stepped(dice.choice([120.0, 3600.0])):
        yield


@fault("clock.back", target="clock", seconds=(3, 20))
async def back(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Step the clock of one host back by two minutes or an hour, and later forward."""
    with dice.choice(system.hosts).stepped(-dice.choice([120.0, 3600.0])):
        yield
