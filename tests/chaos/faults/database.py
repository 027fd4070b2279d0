"""Faults of the database: of its processes, its limits, its disk, and of the way to it."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager

from tests.chaos.faults.registry import fault
from tests.chaos.system import System


@asynccontextmanager
async def _within(context: AbstractContextManager[None]) -> AsyncIterator[None]:
    """Enter and leave a context of the server without blocking."""
    await asyncio.to_thread(context.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


@fault("postgres.stop", target="database", seconds=(2, 12), where="postgres")
async def stop(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Stop the server for a while: it breaks all connections, or crashes."""
    how = dice.choice([signal.SIGINT, signal.SIGQUIT])
    await asyncio.to_thread(system.database.server.stop, how)
    try:
        yield
    finally:
        await asyncio.to_thread(system.database.start)


@fault("postgres.restart", target="database", seconds=(6, 10), where="postgres")
async def restart(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Restart the server three times in some seconds."""
    for _ in range(3):
        await asyncio.to_thread(system.database.server.restart)
        await asyncio.sleep(dice.uniform(0.5, 2.0))
    yield


@fault("postgres.freeze", target="database", seconds=(2, 12), where="postgres")
async def freeze(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGSTOP of the server and its connections, then SIGCONT."""
    async with _within(system.database.server.frozen()):
        yield


@fault("postgres.read_only", target="database", seconds=(3, 12), where="postgres")
async def read_only(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Refuse every write, as a server that is no longer the primary does."""
    async with _within(system.database.server.read_only()):
        yield


@fault("postgres.connections", target="database", seconds=(3, 12), where="postgres")
async def connections(system: System, dice: random.Random) -> AsyncIterator[None]:
    """End all connections and refuse new ones: there are too many clients."""
    async with _within(system.database.server.no_connections()):
        yield


@fault("postgres.slow", target="database", seconds=(3, 12), where="postgres")
async def slow(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Delay everything on the way to and from the server."""
    async with system.links.changed("postgres", mode="pass", delay=dice.choice([0.01, 0.05])):
        yield


#: Seconds after which keep-alive probes find a dead path, as set in buddy/settings/database.py.
KEEPALIVE = 11.0


@fault("postgres.half_open", target="database", seconds=(2, 10), where="postgres")
async def half_open(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Let all open connections die without a FIN, until keep-alive probes find out. New ones work."""
    await system.links.do("postgres", "freeze", reset_after=KEEPALIVE)
    yield


@fault("postgres.cut", target="database", seconds=(0.5, 1), where="postgres")
async def cut(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Reset all connections."""
    await system.links.do("postgres", "cut")
    yield


@fault("sqlite.locked", target="database", seconds=(3, 20), where="sqlite")
async def locked(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Hold the write lock of the file."""
    lock = await asyncio.to_thread(system.database.lock)
    try:
        yield
    finally:
        lock.close()


@fault("disk.full", target="database", seconds=(3, 10))
async def full_disk(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Fill the file system of the database."""
    await asyncio.to_thread(system.disk.fill)
    try:
        yield
    finally:
        system.disk.empty()
        await asyncio.to_thread(system.database.start)  # PostgreSQL may have stopped
