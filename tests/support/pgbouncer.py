"""A real PgBouncer in transaction mode, with the configuration of docs/deploy.md, as a fixture."""

import configparser
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import Postgres, _account, _default_database
from tests.support.valkey import free_port, wait_until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"
#: Connections to PostgreSQL: so few that a client often gets another one.
POOL_SIZE = 3


def _block(language: str) -> str:
    section = PAGE.read_text().split("## PgBouncer")[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def rules() -> list[str]:
    """Return the statements for the role in the docs."""
    return _block("sql").strip().splitlines()


class PgBouncer:
    """A PgBouncer in front of a server of the tests."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres, self.port = postgres, free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self.configuration = configparser.ConfigParser()
        self.configuration.read_string(_block("ini"))
        self.configuration["databases"] = {"*": f"host=127.0.0.1 port={postgres.port}"}
        users = self.directory / "users"
        users.write_text(f'"{postgres.user}" ""\n')
        own = {
            "default_pool_size": str(POOL_SIZE),
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(users),
        }
        self.configuration["pgbouncer"].update(own)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it gives connections."""
        file = self.directory / "pgbouncer.ini"
        with file.open("w") as out:
            self.configuration.write(out)
        account = _account()
        for path in (self.directory, file, self.directory / "users"):
            if account:
                os.chown(path, account["user"], account["group"])
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen([program, str(file)], stdout=log, stderr=log, **account)
        wait_until(self._answers, "PgBouncer to answer")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.connect().execute("SELECT 1").connection.close()
            return True
        return False

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Return a connection of the project's role, without a pool of its own."""
        address = f"host=127.0.0.1 port={self.port} user={self.postgres.user}"
        return psycopg.connect(f"{address} dbname={self.postgres.database}", autocommit=True)

    def stop(self) -> None:
        """Kill it: all connections of its clients break."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, **options: str) -> None:
        """Kill it and start it with other options."""
        self.stop()
        self.configuration["pgbouncer"].update(options)
        self.start()

    def remove(self) -> None:
        """Kill it and delete its files."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """A PgBouncer before the database of the test, to which the test and its processes are pointed."""
    if not shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("PgBouncer is not installed (Debian and Ubuntu: apt-get install pgbouncer)")
    pooler = PgBouncer(postgres)
    for rule in rules():
        postgres.execute(rule)
    # What the role has by itself must not be what the project relies on.
    postgres.execute(f"ALTER ROLE {postgres.user} SET timezone = 'Asia/Tokyo'")
    pooler.start()
    with _default_database(postgres.settings(postgres.database) | {"PORT": pooler.port}):
        yield pooler
    pooler.remove()
    postgres.execute(f"ALTER ROLE {postgres.user} RESET ALL")
