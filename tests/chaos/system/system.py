"""Start all processes of a run, and stop them."""

import asyncio
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.system.databases import PostgresServer, Sqlite
from tests.chaos.system.disk import Disk
from tests.chaos.system.links import Links
from tests.chaos.system.provider import Provider
from tests.chaos.system.redis_servers import Cluster, One
from tests.chaos.system.services import ROOT, Service
from tests.support.valkey import free_port

if TYPE_CHECKING:
    from tests.chaos.options import Options

#: The limits that the checks compare with the provider's log.
CHAT_GLOBAL, CHAT_PER_CLUSTER = 20, 12
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.chaos.project.settings",
    "SECRET_KEY": "only-for-chaos-" + "x" * 40,
    "OPENAI_MODEL": "scripted",
    "OPENAI_TRANSCRIPTION_MODEL": "scripted-ear",
    "THREAD_TITLES": "0",
    "QUEUE_WORKERS": "2",
    "QUEUE_OPENAI_CHAT_CONCURRENCY": str(CHAT_PER_CLUSTER),
    "QUEUE_OPENAI_CHAT_GLOBAL_CONCURRENCY": str(CHAT_GLOBAL),
    "QUEUE_LARGE_REQUESTS_LIMITER": "30/60",
    "LIMIT_ANONYMOUS": "",
    "LIMIT_USER": "",
    "LIMIT_ADDRESS": "",
    "LIMIT_REQUESTS": "",
    "CHAOS_VERSION": "1",
    "RELEASE": "1",
}


class Host:
    """What a host has of its own: a clock."""

    def __init__(self, clock: Path) -> None:
        self.clock = clock
        clock.write_bytes(struct.pack("<d", 0.0))

    @contextmanager
    def stepped(self, seconds: float) -> Iterator[None]:
        """Step the wall clock of the host's processes, and step it back later."""
        self._write(seconds)
        try:
            yield
        finally:
            self._write(0.0)

    def _write(self, seconds: float) -> None:
        with self.clock.open("r+b") as file:
            file.write(struct.pack("<d", seconds))


class System:
    """Everything that a run starts. The attributes are what faults break."""

    redis: One | Cluster
    database: Sqlite | PostgresServer
    provider: Provider

    def __init__(self, options: "Options", directory: Path) -> None:
        self.options = options
        self.directory = directory
        self.version = "1"
        self.links = Links()
        self.webs: list[Service] = []
        self.clusters: list[Service] = []
        self._watching: list[asyncio.Task[None]] = []
        self._started: list[Callable[[], None]] = []
        """How to stop each service that was started."""
        self.disk = Disk()
        self.hosts = [Host(directory / f"clock-{number}") for number in (1, 2)]

    @property
    def services(self) -> list[Service]:
        return [*self.webs, *self.clusters]

    async def start(self) -> None:
        """Start everything, and return when both web processes are ready."""
        await self.links.start()
        self.provider = Provider(self.directory / "provider.log", self.options.seed)
        self._started.append(self.provider.stop)
        make = PostgresServer if self.options.database == "postgres" else Sqlite
        self.database = await asyncio.to_thread(make, self.disk.path)
        self._started.append(self.database.shut_down)
        env = SETTINGS | {"REDIS_URL": await self._start_redis()}
        self._started.append(self.redis.stop)
        linked = await self.links.add("postgres", self.database.port) if self.database.port else 0
        env["DATABASE_URL"] = self.database.url(linked)
        env["OPENAI_BASE_URL"] = f"http://127.0.0.1:{await self.links.add('provider', self.provider.port)}/v1"
        env["CHAOS_WORK_URL"] = (
            f"http://127.0.0.1:{self.provider.port}/_work"  # not over a link: it is no provider
        )
        await self._migrate(env)
        for number, host in enumerate(self.hosts, 1):
            self._add_services(number, os.environ | env | {"CHAOS_CLOCK": str(host.clock)})
        for service in self.services:
            service.start()
            self._watching.append(asyncio.create_task(service.watch()))

    async def _start_redis(self) -> str:
        directory = self.directory / "redis"
        if self.options.redis == "one":
            self.redis = await asyncio.to_thread(One, directory)
            return self.redis.url([await self.links.add("redis", self.redis.ports[0])])
        loop = asyncio.get_running_loop()

        def link(port: int) -> int:
            return asyncio.run_coroutine_threadsafe(self.links.add("redis", port), loop).result()

        self.redis = await asyncio.to_thread(Cluster, directory, link)
        return self.redis.url([])

    async def _migrate(self, env: dict[str, str]) -> None:
        command = [sys.executable, "manage.py", "migrate", "-v", "0"]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr)

    def _add_services(self, number: int, env: dict[str, str]) -> None:
        env["PYTHONPATH"] = str(ROOT / "tests/chaos/clock")
        port, logs = free_port(), self.directory
        web = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "buddy.asgi:application"]
        self.webs.append(Service(f"web{number}", web, env, logs / f"web{number}.log", port))
        cluster = [sys.executable, "manage.py", "qcluster"]
        self.clusters.append(Service(f"cluster{number}", cluster, env, logs / f"cluster{number}.log"))

    def addresses(self) -> list[str]:
        """Return the addresses of the web processes."""
        return [f"http://127.0.0.1:{web.port}" for web in self.webs]

    async def stop(self) -> None:
        """Stop everything, whatever state it is in."""
        for task in self._watching:
            task.cancel()
        for service in self.services:
            workers = service.workers()
            service.kill(restart=False)
            for pid in workers:
                subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)
        for stop in reversed(self._started):
            await asyncio.to_thread(stop)
        await self.links.stop()
        if self.options.database == "sqlite":
            for file in self.disk.path.glob("db.sqlite3*"):
                shutil.copy(file, self.directory)
        self.disk.remove()
