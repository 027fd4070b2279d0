"""The runs of a simulation: the times of Redis are measured, then each load begins with an empty Redis."""

import argparse
import time
from dataclasses import dataclass

from queueing.conf import get_conf
from queueing.schedule.scripts import key

from .load import WORK
from .redis_server import EPOCH, Connection, ServiceTime, use_virtual_clock
from .service_times import cpu_of, measure
from .world import Figures, World


@dataclass
class Run:
    """One load, and what was observed."""

    load: float
    rate: float
    """Messages a second."""
    figures: Figures
    busy: dict[str, float]
    """Share of the time in which Redis worked, by script."""
    calls: dict[str, float]
    """Calls a second, by script."""
    cpu: float
    """CPU of the real Redis for each virtual second. There, only one connection gets notifications."""
    took: float


def run(url: str, given: argparse.Namespace) -> tuple[dict[str, ServiceTime], list[Run]]:
    """Return the times of Redis, and the runs."""
    use_virtual_clock()
    connection = _fresh(url)
    times = measure(connection, given.workers)
    return times, [_simulate(_fresh(url), times, load, given) for load in given.load]


def _fresh(url: str) -> Connection:
    connection = Connection(url)
    connection.command("FLUSHALL")
    connection.command("SET", key("clock"), EPOCH)
    connection.command("SET", key("reconciled"), 1)  # without it no job can be claimed
    return connection


def _simulate(
    connection: Connection, times: dict[str, ServiceTime], load: float, given: argparse.Namespace
) -> Run:
    connection.times = times
    world = World(connection, workers=given.workers, visitors=given.visitors, seed=given.seed)
    slots = given.workers * get_conf().queues["chat"].concurrency
    rate = load * slots / (WORK[0].share * WORK[0].mean)
    began, cpu = time.perf_counter(), cpu_of(connection)
    figures = world.run(rate, warm_up=given.warm_up, seconds=given.seconds)
    cpu = (cpu_of(connection) - cpu) / (given.warm_up + given.seconds)
    busy = {name: seconds / given.seconds for name, seconds in connection.busy.items()}
    calls = {name: number / given.seconds for name, number in connection.calls.items()}
    return Run(load, rate, figures, busy, calls, cpu, time.perf_counter() - began)
