"""Faults of the provider of the model, and of the way to it."""

import random
from collections.abc import AsyncIterator

from tests.chaos.faults.registry import fault
from tests.chaos.system import System


@fault("provider.refuse", target="provider", seconds=(3, 20))
async def refuse(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Refuse connections, and reset those that are open."""
    async with system.links.changed("provider", mode="refuse"):
        yield


@fault("provider.down", target="provider", seconds=(5, 30))
async def down(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Answer every call with 503."""
    async with system.provider.mood("errors"):
        yield


@fault("provider.limited", target="provider", seconds=(3, 10))
async def limited(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Answer every call with 429 and a wait of 2 s."""
    async with system.provider.mood("limited"):
        yield


@fault("provider.slow", target="provider", seconds=(4, 15))
async def slow(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Begin each answer some seconds late, and write it slowly."""
    async with system.provider.mood("slow"):
        yield


@fault("provider.silent", target="provider", seconds=(3, 12))
async def silent(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Accept calls and never answer them."""
    async with system.provider.mood("silent"):
        yield


@fault("provider.lying", target="provider", seconds=(2, 5))
async def lying(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Answer half of the calls with nonsense, an error in the stream, or a stream without its end."""
    async with system.provider.mood("lying"):
        yield


@fault("provider.cutting", target="provider", seconds=(2, 5))
async def cutting(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Cut half of the answers after some words."""
    async with system.provider.mood("cutting"):
        yield


@fault("provider.half_open", target="provider", seconds=(1, 4))
async def half_open(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Let all open connections die without a FIN."""
    await system.links.do("provider", "freeze")
    yield
