"""A site on many hosts: one has the database, Redis and the model; tests add web and worker hosts."""

import os
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.hosts.network import NETWORK, ROOT, SERVICES, Host, Network
from tests.provider.fixture import Provider
from tests.support.postgres import Postgres
from tests.support.valkey import Valkey, wait_until

#: Active replies of one cluster, of which each worker host has one.
PER_HOST = 4
_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.chaos.project.settings",
    "SECRET_KEY": "only-for-hosts-" + "x" * 40,
    "ALLOWED_HOSTS": "*",
    "THREAD_TITLES": "0",
    "QUEUE_WORKERS": "1",
    "QUEUE_OPENAI_CHAT_CONCURRENCY": str(PER_HOST),
    "LIMIT_ANONYMOUS": "",
    "LIMIT_ADDRESS": "",
    "LIMIT_REQUESTS": "",
    "CHAOS_VERSION": "1",
}


class Site:
    """The services, the hosts, and what the tests ask of them."""

    def __init__(self, directory: Path) -> None:
        self.network = Network(directory)
        self.postgres = Postgres(network=NETWORK)
        self.postgres.start()
        self.postgres.execute(f"CREATE ROLE {self.postgres.user} LOGIN")
        self.redis = Valkey(directory, "--bind", f"127.0.0.1 {SERVICES}")
        self.redis.start()
        self.provider = Provider(SERVICES)
        self.provider.start()
        database = (
            f"postgres://{self.postgres.user}:@{SERVICES}:{self.postgres.port}/{self.postgres.create()}"
        )
        redis = self.redis.url.replace("127.0.0.1", SERVICES)
        self.env = _SETTINGS | self.provider.publishes | {"DATABASE_URL": database, "REDIS_URL": redis}
        self.migrate()
        self.webs: list[str] = []

    def migrate(self) -> None:
        """Create the tables."""
        command = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(command, cwd=ROOT, env=os.environ | self.env, check=True)

    def add_web(self, name: str, *, ahead: float = 0.0) -> Host:
        """Add a host with a web process, and wait until it answers."""
        host = self.network.add(name, ahead=ahead)
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "0.0.0.0", "-p", "8000"]
        host.run(*command, "buddy.asgi:application", env=self.env)
        address = f"http://{host.address}:8000"
        wait_until(lambda: _answers(address), f"{name} to answer", 60)
        self.webs.append(address)
        return host

    def add_worker(self, name: str, *, ahead: float = 0.0) -> Host:
        """Add a host with a cluster, and wait until it has a heartbeat."""
        before = self.redis.client.hlen("{buddy}:workers")
        host = self.network.add(name, ahead=ahead)
        host.run(sys.executable, "manage.py", "qcluster", env=self.env)
        wait_until(lambda: self.redis.client.hlen("{buddy}:workers") > before, f"a worker on {name}", 60)
        return host

    def jobs(self) -> list[tuple[str, str, int, int]]:
        """Return the request id, the state, the attempts and the runs of each job."""
        columns = "request_id, state, attempts, run_count"
        return self.postgres.execute(f"SELECT {columns} FROM queueing_job", self._database)  # type: ignore[return-value]

    @property
    def _database(self) -> str:
        return self.env["DATABASE_URL"].rpartition("/")[2]

    def answers(self) -> Counter[str]:
        """Return how often each request id has an answer in a conversation."""
        sql = (
            "SELECT j.request_id FROM chat_message m JOIN queueing_job j ON j.id = m.job_id "
            "WHERE m.role = 'assistant' AND m.content <> ''"
        )
        return Counter(row[0] for row in self.postgres.execute(sql, self._database))

    def most_at_once(self) -> int:
        """Return how many calls the model had at the same time, at most."""
        steps = [(r.started, 1) for r in self.provider.requests]
        steps += [
            (r.ended or r.disconnected, -1) for r in self.provider.requests if r.ended or r.disconnected
        ]
        now = most = 0
        for _, step in sorted(steps):
            now += step
            most = max(most, now)
        return most

    def close(self) -> None:
        """Stop everything."""
        self.network.close()
        self.provider.stop()
        self.redis.stop()
        self.postgres.remove()


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


class Visitor:
    """A visitor who asks until each question is accepted, at any of the web hosts.

    They share the cookies, as behind one name.
    """

    def __init__(self, name: str, addresses: list[str]) -> None:
        self.name, self._addresses, self._number = name, addresses, 0
        self._cookies: dict[str, str] = {}

    async def ask_all(self, questions: int) -> list[str]:
        """Ask one question after another, and return their request ids."""
        timeout = aiohttp.ClientTimeout(total=8)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as self._http:
            while "csrftoken" not in self._cookies:
                await self._request("GET", "/")
            return [await self._ask(f"{self.name}-{number}") for number in range(questions)]

    async def _ask(self, request_id: str) -> str:
        body = {"message": f"Question {request_id}", "requestId": request_id}
        while (status := await self._request("POST", "/api/travel", json=body)) != 202:
            assert status in (0, 429, 503), status
        return request_id

    async def _request(self, method: str, path: str, **options: Any) -> int:
        """Return the status of a request to the next host; 0 if it is not there."""
        self._number += 1
        address = self._addresses[self._number % len(self._addresses)]
        headers = {"Origin": address, "X-CSRFToken": self._cookies.get("csrftoken", "")}
        options |= {"headers": headers, "cookies": self._cookies}
        try:
            async with self._http.request(method, address + path, **options) as answer:
                await answer.read()
                self._cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
