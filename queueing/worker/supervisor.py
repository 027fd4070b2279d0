"""`manage.py qcluster`: Django-Q2's sentinel, supervising workers that claim jobs for themselves.

This process supervises, the others work. There is no pusher, no monitor and no shared queue, hence no
lock that could be lost with the process that holds it.
"""

import gc
import logging
import os
import signal
import time
from contextlib import suppress
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
from django_q.signals import pre_enqueue
from django_q.status import Stat

from queueing.conf import get_conf
from queueing.record.django_q_tasks import never_in_this_process
from queueing.recurring.declaring import declare_all
from queueing.schedule import presence

from .entry import main
from .liveness.identity import Identity, Shared
from .liveness.service_manager import notify
from .served_queues import served_queues
from .stop_signals import QUIET_SIGNALS, SIGNALS

logger = logging.getLogger(__name__)

#: Seconds between checks of the workers, runs of Django-Q2's scheduler, and status reports.
_CHECK_INTERVAL, _SCHEDULER_INTERVAL, _REPORT_INTERVAL = 0.5, 30.0, 2.0
#: Seconds without a sign of life of its event loop after which a worker is killed. Before that, it gives up
#: itself (loop_watch.py), unless none of its threads runs. Only the time in which this process itself ran
#: counts: after a suspended machine or cluster resumes, no worker is blocked.
_BLOCKED_AFTER = 75.0
#: Seconds: a worker that dies sooner after its start is replaced after a pause of `_SPAWN_PAUSE` seconds.
_EARLY_DEATH, _SPAWN_PAUSE = 5.0, 1.0
#: Processes that each run one suspect, at the same time. They end with it.
_MAX_PROBERS = 8
#: Seconds beyond the grace time until a stopping worker is killed.
_KILL_AFTER = 10


class Supervisor(Sentinel):
    """The supervising process. `run` returns when the cluster has stopped."""

    def __init__(self, queues: tuple[str, ...] = ()) -> None:
        # Deliberately not Sentinel.__init__: it makes the shared queues and starts the guard.
        self.cluster_id = uuid4()
        self.pid = os.getpid()
        self.parent_pid = None
        pre_enqueue.connect(never_in_this_process)
        self.broker = get_broker()
        self.tob = timezone.now()
        self.reincarnations = 0
        self.pool: list[Any] = []
        self._leaving: list[Any] = []
        """Workers that are replaced already and end soon."""
        self.task_queue: Queue[Any] = Queue()
        self.result_queue: Queue[Any] = Queue()
        self.monitor = self.pusher = None
        self.start_event, self.stop_event = Event(), Event()
        self._next_spawn = 0.0
        self._is_ready = self._is_declared = False
        self._pipe = os.pipe()
        self._queues = queues or served_queues()
        self._is_quiet = False
        self._suspects = RawValue("L", 0)

    def run(self) -> None:
        """Start the workers and supervise them until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop_event.set())
        for number in QUIET_SIGNALS:
            signal.signal(number, self._set_quiet)
        for module in get_conf().preload:
            import_module(module)
        gc.collect()
        gc.freeze()  # modules loaded by now are never garbage, and their memory stays shared with the workers
        for _ in range(Conf.WORKERS):
            self.spawn_worker()
        self.start_event.set()
        logger.info("cluster %s: %d workers", self.short_id, len(self.pool))
        self.guard()
        self.stop()

    @property
    def short_id(self) -> str:
        """The cluster's name in tokens and on the dashboard."""
        return str(self.cluster_id.hex[:8])

    def status(self) -> Any:
        """Return the status in Django-Q2's words."""
        if self.stop_event.is_set():
            return Conf.STOPPING if self.pool else Conf.STOPPED
        return Conf.WORKING if self.start_event.is_set() else Conf.STARTING

    def spawn_worker(self, *, is_prober: bool = False) -> None:
        """Fork one worker."""
        _close_connections()
        shared = RawValue(Shared)
        identity = Identity(
            cluster=self.short_id,
            queues=self._queues,
            is_quiet=self._is_quiet,
            shared=shared,
            supervisor_pipe=self._pipe,
            is_prober=is_prober,
            suspects=self._suspects,
        )
        process: Any = get_context("fork").Process(target=main, args=(identity,), name=identity.id)
        process.shared, process.last_beat, process.silent = shared, 0, 0.0
        process.started, process.is_prober = time.monotonic(), is_prober
        # Between the fork and the worker's own signal handlers, our handler would take its signals.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.pool.append(process)

    def _set_quiet(self, number: int, _frame: Any) -> None:
        """Pass SIGTSTP or SIGCONT on to all workers; those that start later know by `_is_quiet`."""
        self._is_quiet = QUIET_SIGNALS[signal.Signals(number)]
        for process in self.pool:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def guard(self) -> None:
        """Replace workers that die or hang; run the schedules of Django-Q2; report the status."""
        scheduler_at = report_at = 0.0
        checked_at = time.monotonic()
        while not self.stop_event.wait(_CHECK_INTERVAL):
            now = time.monotonic()
            self._check_workers(min(now - checked_at, 2 * _CHECK_INTERVAL))
            checked_at = now
            self._say_alive()
            if now >= scheduler_at:
                scheduler_at = now + _SCHEDULER_INTERVAL
                self._declare_recurring_jobs()
                if Conf.SCHEDULER:
                    scheduler(broker=self.broker)
                _close_connections()
            if now >= report_at:
                report_at = now + _REPORT_INTERVAL
                Stat(self).save()

    def _declare_recurring_jobs(self) -> None:
        """Store the recurring jobs that the code declares, once; later if the database is unavailable."""
        if not self._is_declared:
            try:
                declare_all()
                self._is_declared = True
            except Exception as exc:
                logger.warning("recurring jobs are stored later: %s: %s", type(exc).__name__, exc)

    def _check_workers(self, elapsed: float) -> None:
        """Kill blocked workers and replace dead and leaving ones, `elapsed` seconds after the last check."""
        for process in [*self.pool, *self._leaving]:
            beat = process.shared.beats
            process.silent = process.silent + elapsed if beat == process.last_beat else 0.0
            process.last_beat = beat
            if process.is_alive() and process.silent > _BLOCKED_AFTER:
                _kill(process, "is blocked")
            if process in self._leaving:
                self._check_leaving(process, elapsed)
            elif not process.is_alive():
                self._remove_dead(process)
            elif process.shared.is_leaving:
                logger.warning("worker %s leaves; replacing it", process.name)
                self.pool.remove(process)
                self._leaving.append(process)
        probers = sum(process.is_prober for process in self.pool)
        while len(self.pool) - probers < Conf.WORKERS and time.monotonic() >= self._next_spawn:
            self.spawn_worker()
        most = 0 if self._is_quiet else _MAX_PROBERS
        for _ in range(probers, min(self._suspects.value, most)):
            self.spawn_worker(is_prober=True)

    def _say_alive(self) -> None:
        """Tell the service manager that the cluster works, if a worker does: first that it is ready."""
        if any(process.last_beat and process.silent < _BLOCKED_AFTER for process in self.pool):
            notify("WATCHDOG=1" if self._is_ready else "READY=1", get_conf().health_file)
            self._is_ready = True

    def _check_leaving(self, process: Any, elapsed: float) -> None:
        process.leaves_for = getattr(process, "leaves_for", 0.0) + elapsed
        if process.is_alive() and process.leaves_for > get_conf().grace + _KILL_AFTER:
            _kill(process, "does not leave")
        if not process.is_alive():
            self._leaving.remove(process)
            self.reincarnations += 1

    def _remove_dead(self, process: Any) -> None:
        self.pool.remove(process)
        if process.is_prober:
            if process.exitcode:
                logger.critical("worker %s died of the job that it ran alone", process.name)
            return
        self.reincarnations += 1
        if process.exitcode == 0:
            logger.info("replacing worker %s, which has run its number of jobs", process.name)
            return
        logger.critical("worker %s died (exit code %s); replacing it", process.name, process.exitcode)
        if time.monotonic() - process.started < _EARLY_DEATH:
            self._next_spawn = time.monotonic() + _SPAWN_PAUSE

    def stop(self) -> None:
        """Stop the workers; kill those that take longer than the grace time allows."""
        notify("STOPPING=1")
        processes = [*self.pool, *self._leaving]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + get_conf().grace + _KILL_AFTER
        # `join` with a timeout would also wait for the child processes that handlers have left behind.
        while time.monotonic() < deadline and any(process.is_alive() for process in processes):
            time.sleep(0.05)
        for process in processes:
            if process.is_alive():
                _kill(process, "did not stop")
        self.pool, self._leaving = [], []
        presence.forget_cluster(self.short_id)
        Stat(self).save()
        logger.info("cluster %s has stopped", self.short_id)


def _kill(process: Any, reason: str) -> None:
    logger.critical("worker %s %s; killing it", process.name, reason)
    process.kill()
    process.join()


def _close_connections() -> None:
    """Close database connections and pools: a forked process cannot use them."""
    for connection in db.connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()
