"""A whole Buddy of the tests' own: Valkey, workers, web server, on free ports, with a new database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.parts import http_missing
from tests.cluster import ROOT, ClusterProcess
from tests.conftest import Valkey, free_port, wait_until


@dataclass
class Site:
    """Where it answers, and the parts a test may hurt."""

    url: str
    valkey: Valkey
    cluster: ClusterProcess
    environment: dict[str, str]

    def end_sessions(self) -> None:
        """Forget all visitors, as expiry would."""
        code = "from django.contrib.sessions.models import Session; Session.objects.all().delete()"
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)


@contextmanager
def running(directory: Path, **env: str) -> Iterator[Site]:
    """The site, until the end of the block; keyword arguments are environment variables of all its parts."""
    valkey = Valkey(directory)
    valkey.start()
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "buddy.settings",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "REDIS_URL": valkey.url,
        "QUEUE_WORKERS": "1",
        # Tests ask much and often the same, all from one address.
        **dict.fromkeys(
            ("LIMIT_ANONYMOUS", "LIMIT_USER", "LIMIT_ADDRESS", "LIMIT_REQUESTS", "LIMIT_LOGIN"), ""
        ),
        "ANSWER_CACHE_SECONDS": "0",
        "THREAD_TITLES": "0",
        **env,
    }
    # As in production: static files are collected, hashed and compressed.
    subprocess.run([sys.executable, "-m", "deploy.local.prepare"], cwd=ROOT, env=environment, check=True)
    cluster = ClusterProcess(directory / "qcluster.log", environment)
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "buddy.asgi:application"]
    log = (directory / "web.log").open("ab")
    web = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: not http_missing("127.0.0.1", port, "/readyz"), "the site to be ready", 60)
        yield Site(f"http://127.0.0.1:{port}", valkey, cluster, environment)
    finally:
        web.terminate()
        web.wait()
        cluster.stop()
        valkey.stop()
