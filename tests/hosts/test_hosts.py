"""Two web and three worker hosts, one Redis, one PostgreSQL: more hosts do more, and one may be lost."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.network import missing
from tests.hosts.site import PER_HOST, Site, Visitor
from tests.support.postgres import _binary
from tests.support.valkey import wait_until

_MISSING = missing() or ("" if _binary("postgres") else "it needs PostgreSQL")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(_MISSING), reason=_MISSING)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site without web and worker hosts."""
    found = Site(tmp_path)
    yield found
    for host in found.network.hosts:
        print(f"== {host.name}\n{host.log.read_text()[-3000:]}")
    found.close()


def ask(site: Site, visitors: int, questions: int, prefix: str) -> set[str]:
    """Let visitors ask at the same time. Return the request ids, all of which were accepted."""

    async def all_of_them() -> list[list[str]]:
        crowd = [Visitor(f"{prefix}{number}", site.webs) for number in range(visitors)]
        return await asyncio.gather(*(visitor.ask_all(questions) for visitor in crowd))

    return {request_id for asked in asyncio.run(all_of_them()) for request_id in asked}


def answered(site: Site, asked: set[str], timeout: float = 90) -> None:
    """Wait until each question has its answer; fail unless each has exactly one."""

    def unfinished() -> set[str]:
        return asked - {request_id for request_id, state, *_ in site.jobs() if state == "completed"}

    wait_until(lambda: not unfinished(), "all answers", timeout)
    assert {name: count for name, count in site.answers().items() if count != 1} == {}
    assert asked <= set(site.answers())


def test_more_worker_hosts_answer_more_at_once(site):
    site.add_web("web1")
    site.add_web("web2")
    seconds = {}
    for number in (1, 2, 3):
        site.add_worker(f"worker{number}")
        site.provider.reset()
        site.provider.script(text="Take the tram.", wait=1.0, times=0)
        began = time.monotonic()
        answered(site, ask(site, 12, 3, f"n{number}-"))
        seconds[number] = round(time.monotonic() - began, 1)
        assert site.most_at_once() == number * PER_HOST
    print(f"36 answers of one second, by worker hosts: {seconds} s")


def test_lost_hosts_lose_nothing_also_when_they_come_back(site):
    webs = [site.add_web("web1"), site.add_web("web2")]
    workers = [site.add_worker(f"worker{number}") for number in (1, 2, 3)]
    site.provider.script(text="Take the tram.", wait=1.0, times=0)

    asked = ask(site, 12, 2, "a")
    workers[0].unplug()  # with active jobs; no connection is closed
    webs[1].unplug()
    asked |= ask(site, 12, 2, "b")
    workers[1].remove()  # as after a loss of power
    answered(site, asked)
    workers[0].plug()
    webs[1].plug()
    asked |= ask(site, 12, 2, "c")
    answered(site, asked)
    alive = wait_until(lambda: site.redis.client.hlen("{buddy}:workers") >= 2, "the lost worker's heartbeat")
    assert alive


def test_clocks_that_differ_by_half_a_minute_change_nothing(site):
    site.add_web("web1", ahead=-15)
    site.add_web("web2", ahead=15)
    site.add_worker("worker1", ahead=30)
    site.add_worker("worker2", ahead=-30)
    site.provider.script(status=429, headers={"retry-after": "2"}, times=2)
    site.provider.script(text="Take the tram.", wait=0.5, times=0)
    answered(site, ask(site, 8, 4, "q"))
    assert {(attempts, runs) for _, _, attempts, runs in site.jobs()} <= {(1, 1), (1, 2), (1, 3)}
    assert sum(runs for *_, runs in site.jobs()) == 8 * 4 + 2
