"""Faults of our own processes: killed, stopped, restarted, replaced by another version."""

import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

from tests.chaos.faults.registry import fault
from tests.chaos.system import System
from tests.chaos.system.services import Service


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@fault("web.kill", target="web", seconds=(1, 3))
async def kill_web(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of a web process."""
    dice.choice(system.webs).kill()
    yield


@fault("web.stop", target="web", seconds=(2, 12))
async def stop_web(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGSTOP of a web process, then SIGCONT."""
    async with dice.choice(system.webs).suspended():
        yield


@fault("web.restart", target="web", seconds=(4, 8))
async def restart_web(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGTERM of a web process; a new one starts."""
    await dice.choice(system.webs).restart()
    yield


@fault("worker.kill", target="cluster", seconds=(1, 4))
async def kill_worker(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of a worker."""
    if workers := dice.choice(system.clusters).workers():
        _signal(dice.choice(workers), signal.SIGKILL)
    yield


@fault("worker.kill_all", target="cluster", seconds=(2, 4))
async def kill_all_workers(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of all workers at once."""
    for cluster in system.clusters:
        for pid in cluster.workers():
            _signal(pid, signal.SIGKILL)
    yield


@fault("worker.stop", target="cluster", seconds=(2, 20))
async def stop_worker(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGSTOP of a worker, sometimes for longer than its lease, then SIGCONT."""
    cluster = dice.choice(system.clusters)
    async with cluster.suspended(dice.choice(cluster.workers() or [cluster.pid])):
        yield


@fault("supervisor.kill", target="cluster", seconds=(2, 5))
async def kill_supervisor(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of a supervisor; its workers stop by themselves."""
    dice.choice(system.clusters).kill()
    yield


@fault("supervisor.stop", target="cluster", seconds=(2, 15))
async def stop_supervisor(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGSTOP of a supervisor, then SIGCONT."""
    async with dice.choice(system.clusters).suspended():
        yield


@fault("cluster.kill", target="cluster", seconds=(2, 5))
async def kill_cluster(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGKILL of a supervisor and all its workers, as when a machine dies."""
    cluster = dice.choice(system.clusters)
    workers = cluster.workers()
    cluster.kill()
    for pid in workers:
        _signal(pid, signal.SIGKILL)
    yield


@fault("cluster.restart", target="cluster", seconds=(5, 10))
async def restart_cluster(system: System, dice: random.Random) -> AsyncIterator[None]:
    """SIGTERM of a cluster; a new one starts."""
    await dice.choice(system.clusters).restart()
    yield


async def _restart(services: list[Service], version: str) -> None:
    for service in services:
        await service.restart(CHAOS_VERSION=version, RELEASE=version)
        await service.started()


async def roll_all(system: System, version: str) -> None:
    """Restart all processes one by one with this version, the clusters first."""
    system.version = version
    await _restart(system.clusters, version)
    await _restart(system.webs, version)


@fault("deploy.roll", target="cluster", seconds=(15, 25))
async def roll(system: System, dice: random.Random) -> AsyncIterator[None]:
    """Restart all processes one by one with the other version, which knows more kinds, or fewer."""
    system.version = version = "1" if system.version == "2" else "2"
    first, second = dice.sample([system.webs, system.clusters], 2)
    await _restart(first, version)
    yield  # one half is new, the other is old
    await _restart(second, version)
