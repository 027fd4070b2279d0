"""Faults of Redis: of its data, of its processes, and of the way to it."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator

from tests.chaos.faults.registry import fault
from tests.chaos.system import System


@fault("redis.flush", target="redis", seconds=(0.5, 2))
async def flush(system: System, dice: random.Random) -> AsyncIterator[None]:
    """FLUSHALL on every node."""
    await asyncio.to_thread(system.redis.flush)
    yield


@fault("redis.key_gone", target="redis-data", seconds=(0.5, 2))
async def lose_a_key(system: System, dice: random.Random) -> AsyncIterator[None]:
    """DEL of some single keys."""
    await asyncio.to_thread(system.redis.lose_keys, dice, dice.randint(1, 3))
    yield


@fault("redis.restart", target="redis", seconds=(0.5, 6))
async def restart(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of the server; it comes back empty."""
    server = system.redis.choose(dice)
    server.stop()
    yield
    await asyncio.to_thread(server.start)


@fault("redis.stop", target="redis", seconds=(1, 16))
async def stop(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGSTOP of a server: it accepts connections and does not answer; then SIGCONT."""
    server = system.redis.choose(dice)
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@fault("redis.out_of_memory", target="redis-data", seconds=(2, 8))
async def out_of_memory(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Refuse all writes: maxmemory is reached."""
    await asyncio.to_thread(system.redis.configure, "maxmemory", "1")
    try:
        yield
    finally:
        await asyncio.to_thread(system.redis.configure, "maxmemory", "0")


@fault("redis.slow", target="redis", seconds=(3, 12))
async def slow(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Delay everything on the way to and from Redis."""
    delay = dice.choice([0.02, 0.1, 0.4])
    async with system.links.changed("redis", mode="pass", delay=delay):
        yield


@fault("redis.half_open", target="redis", seconds=(2, 10))
async def half_open(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Let all open connections die without a FIN. New ones work."""
    await system.links.do("redis", "freeze")
    yield


@fault("redis.cut", target="redis", seconds=(0.5, 1))
async def cut(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Reset all connections."""
    await system.links.do("redis", "cut")
    yield


@fault("redis.refuse", target="redis", seconds=(2, 12))
async def refuse(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Refuse and reset all connections, as without a network. The data stays."""
    async with system.links.changed("redis", mode="refuse"):
        yield


@fault("redis.failover", target="redis", seconds=(1, 4), where="one")
async def failover(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Promote the replica; the old primary stays up, read-only, with the connections that are open."""
    port = await asyncio.to_thread(system.redis.fail_over)
    await system.links.aim("redis", port)
    yield


@fault("redis.node_kill", target="redis", seconds=(4, 10), where="cluster")
async def kill_node(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of the nodes in turn; each comes back as a replica."""
    server = system.redis.next_node()
    server.stop()
    yield
    await asyncio.to_thread(server.start)
