"""A whole Buddy of the tests' own: Valkey, workers, web server, on free ports, with a new database."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.services import http_missing
from tests.support.cluster import ROOT, ClusterProcess
from tests.support.valkey import Valkey, free_port, wait_until


@dataclass
class Site:
    """Where it answers, and the parts a test may hurt."""

    url: str
    valkey: Valkey
    cluster: ClusterProcess
    environment: dict[str, str]

    def end_sessions(self) -> None:
        """Forget all visitors, as expiry would."""
        self.run("from django.contrib.sessions.models import Session; Session.objects.all().delete()")

    def unfinished_jobs(self) -> int:
        """Return the number of jobs that wait or run."""
        return self.rows("queueing_job WHERE state IN ('waiting', 'delayed', 'active')")

    def rows(self, table: str) -> int:
        """Return the number of rows of a table, perhaps with a condition."""
        path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def end_jobs(self) -> None:
        """Wait until no job waits or runs; cancel those that do not end by themselves."""
        try:
            wait_until(lambda: not self.unfinished_jobs(), "the jobs of the site to end", 3)
        except pytest.fail.Exception:
            self.run(
                "from queueing.api import cancel; from queueing.states import UNFINISHED\n"
                "for job in Job.objects.filter(state__in=UNFINISHED): cancel(job.id)"
            )
            wait_until(lambda: not self.unfinished_jobs(), "the cancelled jobs to end", 30)

    def run(self, code: str) -> None:
        """Run code in `manage.py shell`, which has imported all models."""
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)


@contextmanager
def running(directory: Path, **env: str) -> Iterator[Site]:
    """The site, until the end of the block; keyword arguments are environment variables of all its parts."""
    valkey = Valkey(directory)
    valkey.start()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "buddy.settings",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "REDIS_URL": valkey.url,
        "QUEUE_WORKERS": "1",
        "STATIC_ROOT": str(directory / "static"),
        # Tests ask much and often the same, all from one address.
        **dict.fromkeys(
            ("LIMIT_ANONYMOUS", "LIMIT_USER", "LIMIT_ADDRESS", "LIMIT_REQUESTS", "LIMIT_LOGIN"), ""
        ),
        "ANSWER_CACHE_SECONDS": "0",
        "THREAD_TITLES": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,buddy.lan",
        **env,
    }
    # As in production: static files are collected, hashed and compressed.
    subprocess.run(
        [sys.executable, "-m", "deploy.local.migrate_and_collect"], cwd=ROOT, env=environment, check=True
    )
    cluster = ClusterProcess(directory / "qcluster.log", environment)
    try:
        with served(directory, environment, ready="/readyz") as url:
            yield Site(url, valkey, cluster, environment)
    finally:
        cluster.stop()
        valkey.stop()


@contextmanager
def served(directory: Path, environment: dict[str, str], *, ready: str, port: int = 0) -> Iterator[str]:
    """The address of a web server (0: on a free port), once it answers 200 at the path `ready`."""
    port = port or free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "buddy.asgi:application"]
    log = (directory / "web.log").open("ab")
    web = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: not http_missing("127.0.0.1", port, ready), "the site to be ready", 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait()
