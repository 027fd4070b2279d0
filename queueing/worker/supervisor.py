"""`manage.py qcluster`: Django-Q2's sentinel, guarding workers that claim for themselves.

One process supervises (this one), the others work. There is no pusher, no monitor and no shared
queue, hence no lock that could die with its holder.
"""

import gc
import logging
import os
import signal
import time
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.sharedctypes import RawValue
from queue import Queue
from threading import Event
from typing import Any
from uuid import uuid4

from django import db
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.scheduler import scheduler
from django_q.status import Stat

from queueing.conf import get_conf

from .identity import Identity
from .process import STOP_SIGNALS, main

logger = logging.getLogger(__name__)

_CYCLE = 0.5
#: Seconds between Django-Q2's schedules being looked at, and between status reports.
_SCHEDULES, _REPORT = 30.0, 2.0
#: Seconds without a pulse after which a worker's loop counts as blocked for good.
_BLOCKED = 60.0
#: A worker that dies sooner than this after its start is replaced only after a pause.
_QUICK_DEATH = 5.0


class Cluster(Sentinel):
    """The supervising process. `run` returns when the cluster was asked to stop and has."""

    def __init__(self) -> None:
        # Deliberately not Sentinel.__init__: it makes the shared queues and starts the guard.
        self.cluster_id = uuid4()
        self.pid = os.getpid()
        self.parent_pid = None
        self.broker = get_broker()
        self.tob = timezone.now()
        self.reincarnations = 0
        self.pool: list[Any] = []
        self.task_queue: Queue[Any] = Queue()
        self.result_queue: Queue[Any] = Queue()
        self.monitor = self.pusher = None
        self.start_event, self.stop_event = Event(), Event()
        self._next_spawn = 0.0
        self._lifeline = os.pipe()

    def run(self) -> None:
        """Start the workers and guard them until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop_event.set())
        for module in get_conf().preload:
            import_module(module)
        gc.collect()
        gc.freeze()  # what is loaded now is never garbage, and stays shared with the workers
        for _ in range(Conf.WORKERS):
            self.spawn_worker()
        self.start_event.set()
        logger.info("cluster %s: %d workers", self.short_id, len(self.pool))
        self.guard()
        self.stop()

    @property
    def short_id(self) -> str:
        """What tokens and the dashboard call it."""
        return str(self.cluster_id.hex[:8])

    def status(self) -> Any:
        """In Django-Q2's words."""
        if self.stop_event.is_set():
            return Conf.STOPPING if self.pool else Conf.STOPPED
        return Conf.WORKING if self.start_event.is_set() else Conf.STARTING

    def spawn_worker(self) -> None:
        """Fork one worker."""
        _close_connections()
        pulse = RawValue("d", time.time())
        identity = Identity(cluster=self.short_id, pulse=pulse, lifeline=self._lifeline)
        process: Any = get_context("fork").Process(target=main, args=(identity,), name=identity.id)
        process.pulse, process.born = pulse, time.time()
        # A signal between the fork and the worker's own handlers would be taken by ours, and lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        self.pool.append(process)

    def guard(self) -> None:
        """Replace workers that die or hang; run the schedules; report."""
        schedules_at = report_at = 0.0
        while not self.stop_event.wait(_CYCLE):
            self._look_after_workers()
            now = time.monotonic()
            if Conf.SCHEDULER and now >= schedules_at:
                schedules_at = now + _SCHEDULES
                scheduler(broker=self.broker)
                _close_connections()
            if now >= report_at:
                report_at = now + _REPORT
                Stat(self).save()

    def _look_after_workers(self) -> None:
        for process in list(self.pool):
            if process.is_alive() and time.time() - process.pulse.value > _BLOCKED:
                logger.critical("worker %s does not move; killing it", process.name)
                process.kill()
                process.join()
            if not process.is_alive():
                self._bury(process)
        while len(self.pool) < Conf.WORKERS and time.monotonic() >= self._next_spawn:
            self.spawn_worker()

    def _bury(self, process: Any) -> None:
        self.pool.remove(process)
        self.reincarnations += 1
        if process.exitcode == 0:
            logger.info("worker %s is recycled", process.name)
            return
        logger.critical("worker %s died (exit code %s); replacing it", process.name, process.exitcode)
        if time.time() - process.born < _QUICK_DEATH:
            self._next_spawn = time.monotonic() + 1.0

    def stop(self) -> None:
        """Tell the workers to stop, wait as long as they may take, then kill what is left."""
        for process in self.pool:
            process.terminate()
        deadline = time.monotonic() + get_conf().grace + 10
        for process in self.pool:
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                logger.critical("worker %s did not stop; killing it", process.name)
                process.kill()
                process.join()
        self.pool = []
        Stat(self).save()
        logger.info("cluster %s has stopped", self.short_id)


def _close_connections() -> None:
    """A fork must inherit neither a connection nor a pool's dead threads."""
    for connection in db.connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()
