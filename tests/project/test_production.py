"""`make production`: the files of nginx and systemd, tried on this machine as they are deployed (O11)."""

import asyncio
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.project.test_make_run import KEPT, ROOT, processes_in
from tests.support.postgres import _binary
from tests.support.valkey import eventually, free_port, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Site:
    """A running `make production`."""

    def __init__(self, log: Path, **environment: str) -> None:
        self.log, self.port, self.http_port = log, free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        ports = {"PORT": str(self.port), "HTTP_PORT": str(self.http_port), "TMPDIR": str(log.parent)}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.production"],
                cwd=ROOT,
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
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                environment = (entry / "environ").read_bytes() if b"daphne" in words else b""
                if self.url.encode() in environment:
                    found[int(words[words.index(b"-p") + 1])] = int(entry.name)
        return found

    def restart_web(self, port: int) -> None:
        """Restart a web process as `systemctl restart` does: return when the new one answers."""
        before = self.web()[port]
        os.kill(before, signal.SIGTERM)
        wait_until(lambda: self.web().get(port, before) != before, f"a new process on {port}", 60)
        wait_until(lambda: _answers(port), f"an answer of {port}", 60)


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return answer.status == 200
    return False


@pytest.fixture
def site(tmp_path: Path, provider) -> Iterator[Site]:
    """The production shape, with the scripted provider."""
    if not (shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") and _binary("postgres")):
        pytest.skip("nginx or PostgreSQL is not installed (apt-get install nginx postgresql)")
    tmp_path.chmod(0o711)  # PostgreSQL and nginx have accounts of their own
    for folder in list(tmp_path.parents)[:3]:
        with suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o011)
    limits = dict.fromkeys(("LIMIT_ANONYMOUS", "LIMIT_USER", "LIMIT_ADDRESS", "LIMIT_REQUESTS"), "")
    limits |= {"QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0", "QUEUE_OPENAI_CHAT_CONCURRENCY": "20"}
    site = Site(tmp_path / "terminal", **provider.publishes, **limits, THREAD_TITLES="0")
    yield site
    with suppress(ProcessLookupError):
        site.process.terminate()
    if site.process.wait(90) is None:
        site.process.kill()


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


async def test_production_serves_restarts_without_a_lost_request_and_stops(site: Site):
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.get(f"http://localhost:{site.http_port}/care?q=1", allow_redirects=False) as moved:
            assert (moved.status, moved.headers["Location"]) == (301, f"{site.url}/care?q=1")
        await sign_up(http, site, "ada")
        status, job = await ask(http, site)
        assert status == 202
        events = await events_of(http, site, job)
        assert "chat:delta" in events
        assert "chat:completed" in events
        statuses, jobs = await restart_under_load(http, site)
        assert set(statuses) == {200, 202}, statuses
        assert min(statuses.values()) > 50
        for job in jobs:
            assert "chat:completed" in await events_of(http, site, job), job
        async with http.get(f"{site.url}/api/threads?q=a-secret-search") as found:
            assert found.status == 200
    # nginx writes its line after the answer.
    await eventually(lambda: "GET /api/threads" in proxy_logs(site), "the line of the search")
    assert "secret" not in proxy_logs(site)
    await asyncio.to_thread(stop, site)


def proxy_logs(site: Site) -> str:
    """Return what nginx has written."""
    logs = site.log.parent.glob("buddy-production-*/nginx/*.log")
    return "".join(log.read_text() for log in logs)


async def restart_under_load(http: aiohttp.ClientSession, site: Site) -> tuple[Counter[int], list[str]]:
    """Restart the web processes in turn while clients ask. Return the statuses and the accepted jobs."""
    statuses: Counter[int] = Counter()
    jobs: list[str] = []
    ended = asyncio.Event()

    async def questions() -> None:
        while not ended.is_set():
            status, job = await ask(http, site)
            statuses[status] += 1
            jobs.extend([job] if job else [])

    async def pages() -> None:
        while not ended.is_set():
            async with http.get(f"{site.url}/") as page:
                await page.read()
            statuses[page.status] += 1

    load = [asyncio.create_task(work()) for work in (questions, questions, pages, pages)]
    for port in await asyncio.to_thread(site.web):
        await asyncio.to_thread(site.restart_web, port)
    ended.set()
    await asyncio.gather(*load)
    return statuses, jobs


def stop(site: Site) -> None:
    """End everything as Ctrl-C does; fail if something stays or was killed."""
    site.process.send_signal(signal.SIGINT)
    assert site.process.wait(90) == 0
    output = site.log.read_text()
    assert "was killed" not in output
    assert "Traceback" not in output
    assert processes_in(site.log.parent) == []
    assert list(site.log.parent.glob("buddy-production-*")) == []
