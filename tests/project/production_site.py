"""A running `make production`, and what a visitor does there."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.project.test_make_run import KEPT, ROOT
from tests.support.postgres import _binary
from tests.support.valkey import free_port, wait_until


class Site:
    """A running `make production`."""

    def __init__(self, log: Path, tree: Path, **environment: str) -> None:
        self.log, self.port, self.http_port = log, free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        ports = {"PORT": str(self.port), "HTTP_PORT": str(self.http_port), "TMPDIR": str(log.parent)}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.production"],
                cwd=tree,
                env=kept | ports | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_ready, "the site", 200)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return f"Buddy is ready at {self.url}" in self.log.read_text()

    def web(self) -> dict[int, int]:
        """Return the web processes: port -> process id."""
        return {int(words[words.index("-p") + 1]): pid for pid, words in self._processes("daphne").items()}

    def clusters(self) -> list[int]:
        """Return the ids of the supervisors of the clusters."""
        found = self._processes("qcluster")
        return [pid for pid in found if _parent(pid) not in found]

    def _processes(self, word: str) -> dict[int, list[str]]:
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                environment = (entry / "environ").read_bytes() if word in words else b""
                if self.url.encode() in environment:
                    found[int(entry.name)] = words
        return found

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes."""
        (pid, *_) = self.web().values()
        lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def restart_cluster(self, before: int) -> None:
        """Restart a cluster as `systemctl restart` does: return when the new one has a worker."""
        others = {*self.clusters()} - {before}
        os.kill(before, signal.SIGTERM)

        def new() -> list[int]:
            return [pid for pid in self.clusters() if pid not in others | {before} and _has_children(pid)]

        wait_until(new, "a new cluster", 60)

    def restart_web(self, port: int) -> None:
        """Restart a web process as `systemctl restart` does: return when the new one answers."""
        before = self.web()[port]
        os.kill(before, signal.SIGTERM)
        wait_until(lambda: self.web().get(port, before) != before, f"a new process on {port}", 60)
        wait_until(lambda: _answers(port), f"an answer of {port}", 60)


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _has_children(pid: int) -> bool:
    with suppress(OSError):
        return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())
    return False


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return answer.status == 200
    return False


@contextmanager
def running(folder: Path, provider, tree: Path = ROOT) -> Iterator[Site]:
    """The production shape of the code in `tree`, with the scripted provider. `folder` has its data."""
    if not (shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") and _binary("postgres")):
        pytest.skip("nginx or PostgreSQL is not installed (apt-get install nginx postgresql)")
    folder.chmod(0o711)  # PostgreSQL and nginx have accounts of their own
    for parent in list(folder.parents)[:3]:
        with suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o011)
    limits = dict.fromkeys(("LIMIT_ANONYMOUS", "LIMIT_USER", "LIMIT_ADDRESS", "LIMIT_REQUESTS"), "")
    limits |= {"QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0", "QUEUE_OPENAI_CHAT_CONCURRENCY": "20"}
    site = Site(folder / "terminal", tree, **provider.publishes, **limits, THREAD_TITLES="0")
    try:
        yield site
    finally:
        with suppress(ProcessLookupError):
            site.process.terminate()
        if site.process.wait(90) is None:
            site.process.kill()


def visitor() -> aiohttp.ClientSession:
    """Return a browser that trusts the certificate that the site made itself."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))


async def sign_up(http: aiohttp.ClientSession, site: Site, name: str) -> None:
    """Make an account on the page."""
    async with http.get(f"{site.url}/account/sign-up/") as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text())
    assert token
    form = {"username": name, "password1": "correct-horse-9", "password2": "correct-horse-9"}
    headers = {"Referer": f"{site.url}/account/sign-up/"}
    form["csrfmiddlewaretoken"] = token[1]
    async with http.post(f"{site.url}/account/sign-up/", data=form, headers=headers) as answer:
        assert (answer.status, name in await answer.text()) == (200, True)


async def ask(http: aiohttp.ClientSession, site: Site) -> tuple[int, str]:
    """Send a question. Return the status and the id of its job."""
    cookies = http.cookie_jar.filter_cookies(URL(site.url))
    token = {"X-CSRFToken": cookies["csrftoken"].value} if "csrftoken" in cookies else {}
    headers = {"Referer": f"{site.url}/", **token}
    async with http.post(f"{site.url}/api/travel", json={"message": "Where to?"}, headers=headers) as answer:
        return answer.status, (await answer.json()).get("jobId", "") if answer.status == 202 else ""


async def events_of(http: aiohttp.ClientSession, site: Site, job: str) -> str:
    """Return all events of a job."""
    async with http.get(f"{site.url}/api/jobs/{job}/events") as stream:
        return await stream.text()
