"""`make production`: the files of nginx and systemd, tried on this machine as they are deployed (O11)."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.project.production_site import Site, ask, events_of, running, sign_up, visitor
from tests.project.test_make_run import processes_in
from tests.support.valkey import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def site(tmp_path: Path, provider) -> Iterator[Site]:
    """The production shape of this code."""
    with running(tmp_path, provider) as site:
        yield site


async def test_production_serves_restarts_without_a_lost_request_and_stops(site: Site):
    async with visitor() as http:
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
