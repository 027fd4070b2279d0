"""The `qcluster` fixture: real clusters in processes of their own, on the test's database and Valkey."""

import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.support import nursery

ROOT = nursery.ROOT


def _be_a_cluster(log: Path, *args: str) -> None:
    """All that a shell does for `manage.py qcluster`."""
    write_to(log)
    sys.argv = ["manage.py", "qcluster", *args]
    runpy.run_path("manage.py", run_name="__main__")


def write_to(log: Path) -> None:
    """Let everything that this process prints go to a file."""
    with log.open("ab") as out:
        for number in (1, 2):
            os.dup2(out.fileno(), number)


class ClusterProcess:
    """One `manage.py qcluster`."""

    def __init__(self, log: Path, env: dict[str, str], *args: str) -> None:
        self.log = log
        log.touch()
        self.process = nursery.start(_be_a_cluster, env, log, *args)

    @property
    def pid(self) -> int:
        """The supervising process."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.exit_code

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM, and its exit code."""
        self.process.send(signal.SIGTERM)
        code = self.process.join(timeout)
        assert code is not None, f"it did not stop within {timeout:g} s"
        return code

    def kill(self) -> None:
        """SIGKILL for it and its workers at once."""
        for pid in [self.pid, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        self.process.join(10)


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
    """Call it to start a cluster, with arguments of the command; environment variables by keyword."""
    started: list[ClusterProcess] = []

    def start(*args: str, **env: str) -> ClusterProcess:
        from tests.support.valkey import wait_until

        cluster = ClusterProcess(tmp_path / f"qcluster-{len(started)}.log", environment(**env), *args)
        started.append(cluster)
        wait_until(lambda: cluster.workers() or cluster.exit_code is not None, "a worker")
        return cluster

    yield start
    for cluster in started:
        cluster.stop()
        print(cluster.log.read_text())
