"""Start the production shape on this machine: nginx, PostgreSQL, Redis, two web processes, two clusters.

It is for a look and for tests. All data are in a new folder, which is deleted at the end. DATABASE_URL,
REDIS_URL and OPENAI_* name other servers. PORT (8443) and HTTP_PORT (8080) are those of nginx.
"""

import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from buddy.start.private_files import keep_private
from deploy.local import environment, services, valkey
from deploy.local.bootstrap import STOPPING, Problem
from deploy.local.process import Process
from deploy.local.services import Service
from deploy.local.supervise import Supervisor, run

from . import servers, units


class Production(Supervisor):
    """The supervisor of all processes, in the order of an upgrade: stores, migration, clusters, web."""

    def __init__(self, stores: list[Service], application: list[Service], env: dict[str, str]) -> None:
        super().__init__(stores, application, [])
        self.env |= self.values | env
        self.values = {}  # var/local.env belongs to `make run`

    async def start_up(self) -> None:
        """Start the stores, migrate as the unit says, then start the application and nginx."""
        for service in self.embedded:
            self.start(service)
        await asyncio.gather(*map(self.ready, self.embedded))
        for command in units.commands("buddy-migrate.service"):
            if not self.stopping.is_set() and await self.run_once(
                Process("migrate", command, self.console, self.watchdog)
            ):
                raise Problem(
                    "The database or the static files are not ready. The lines above give the reason."
                )
        for service in self.application:
            self.start(service)
        await asyncio.gather(*map(self.ready, self.application))
        if not self.stopping.is_set():
            self.console.say(f"Buddy is ready at {self.application[-1].address}. Press Ctrl-C to stop.")


def stores(directory: Path) -> list[Service]:
    """Describe the servers that no variable names."""
    found = []
    if not os.environ.get("DATABASE_URL"):
        found.append(servers.postgres_service(directory))
    if not environment.own_redis():
        valkey.find_server()
        found.append(services.valkey_service(directory / "redis"))
    if not environment.own_model():
        found.append(services.model_service())
    return found


def plan(directory: Path) -> Production:
    """Describe everything. Raise `Problem` when something is missing."""
    ports = int(os.environ.get("HTTP_PORT") or 8080), int(os.environ.get("PORT") or 8443)
    for port in ports:
        services.check_free("127.0.0.1", port)
    web = [services.free_port(), services.free_port()]
    nginx = servers.nginx_service(directory, web, ports)
    env = units.environment() | {
        "CLIENT_URL": nginx.address,
        "TRUSTED_PROXIES": "127.0.0.1",
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50),
        "STATIC_ROOT": str(directory / "static"),
    }
    return Production(
        stores(directory), [*servers.worker_services(2), *servers.web_services(web), nginx], env
    )


def main() -> int:
    """Run until stopped. Return the exit code."""
    keep_private(environment.VAR)
    environment.load()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # until the supervisor can handle them
    directory = Path(tempfile.mkdtemp(prefix="buddy-production-"))
    directory.chmod(0o711)  # nginx and PostgreSQL may have accounts of their own
    try:
        return run(lambda: plan(directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
