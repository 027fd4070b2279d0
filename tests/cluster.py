"""The `qcluster` fixture: real clusters in processes of their own, on the test's database and Valkey."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


class ClusterProcess:
    """One `manage.py qcluster`."""

    def __init__(self, log: Path, env: dict[str, str]) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env=env,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
        )

    @property
    def pid(self) -> int:
        """The supervising process."""
        return self.process.pid

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM, and its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL for it and its workers at once."""
        for pid in [self.pid, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def environment(**extra: str) -> dict[str, str]:
    """What a process needs to see the test's database and Redis."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        conf = connection.settings_dict
        url = f"postgres://{conf['USER']}:{conf['PASSWORD']}@{conf['HOST']}:{conf['PORT']}/{name}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
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
        from tests.conftest import wait_until

        cluster = ClusterProcess(tmp_path / f"qcluster-{len(started)}.log", environment(**env))
        started.append(cluster)
        wait_until(lambda: cluster.workers() or cluster.process.poll() is not None, "a worker")
        return cluster

    yield start
    for cluster in started:
        cluster.stop()
        print(cluster.log.read_text())
