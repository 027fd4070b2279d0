"""The `qcluster` fixture: real clusters in processes of their own, on the test's database and Valkey."""

import importlib
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]

# Forked from a process that has imported the libraries, a cluster starts in a third of the time.
_nursery = multiprocessing.get_context("forkserver")
_nursery.set_forkserver_preload(["tests.support.libraries"])


def _be_a_cluster(log: Path, env: dict[str, str]) -> None:
    """All that a shell does for `manage.py qcluster`."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    with log.open("ab") as out:
        for number in (1, 2):
            os.dup2(out.fileno(), number)
    if path := env.get("TEST_CLOCK"):
        from tests.support import clock

        clock.follow(path)
    if changes := env.get("TEST_CONSTANTS"):  # such as queueing.worker.supervisor._BLOCKED_AFTER=1
        django.setup()
        for name, value in (change.split("=") for change in changes.split()):
            module, _, constant = name.rpartition(".")
            setattr(importlib.import_module(module), constant, float(value))
    sys.argv = ["manage.py", "qcluster"]
    runpy.run_path("manage.py", run_name="__main__")


class ClusterProcess:
    """One `manage.py qcluster`."""

    def __init__(self, log: Path, env: dict[str, str]) -> None:
        self.log = log
        log.touch()
        self.process = _nursery.Process(target=_be_a_cluster, args=(log, env))
        self.process.start()

    @property
    def pid(self) -> int:
        """The supervising process."""
        assert self.process.pid
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.exitcode

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM, and its exit code."""
        if self.exit_code is None:
            self.process.terminate()
        self.process.join(timeout)
        assert self.exit_code is not None, f"it did not stop within {timeout:g} s"
        return self.exit_code

    def kill(self) -> None:
        """SIGKILL for it and its workers at once."""
        for pid in [self.pid, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        self.process.join()


def environment(**extra: str) -> dict[str, str]:
    """What a process needs to see the test's database and Redis."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        conf = connection.settings_dict
        url = f"postgres://{conf['USER']}:{conf['PASSWORD']}@{conf['HOST']}:{conf['PORT']}/{name}"
        extra = {"DB_POOL": "10", **extra}
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "QUEUE_WORKERS": "1",
        **extra,
    }


@pytest.fixture
def qcluster(
    transactional_db: None, valkey: object, tmp_path: Path
) -> Iterator[Callable[..., ClusterProcess]]:
    """Call it to start a cluster; keyword arguments are environment variables."""
    started: list[ClusterProcess] = []

    def start(**env: str) -> ClusterProcess:
        from tests.support.valkey import wait_until

        cluster = ClusterProcess(tmp_path / f"qcluster-{len(started)}.log", environment(**env))
        started.append(cluster)
        wait_until(lambda: cluster.workers() or cluster.exit_code is not None, "a worker")
        return cluster

    yield start
    for cluster in started:
        cluster.stop()
        print(cluster.log.read_text())
