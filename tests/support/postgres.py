"""A real PostgreSQL for tests: the `postgres` fixture points the test and its processes at a new database.

def test_x(postgres, qcluster): ...      # submit, wait, and then postgres.stop(), .restart(), .read_only(), …
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from tests.support.valkey import free_port, wait_until

#: What a server starts with. Nothing waits for the disk; a crash of the server loses no commit all the same.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
}
_TEMPLATE = "migrated"


def _binary(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name)


def is_installed() -> bool:
    """Return whether there is a server to start."""
    return _binary("postgres") is not None


def _account() -> dict[str, Any]:
    """Return the arguments of `subprocess` that run a command not as root, which PostgreSQL refuses."""
    if os.getuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


class Postgres:
    """A server in a directory of its own. Any local user may connect: it has no data but the tests'."""

    user = "buddy"

    def __init__(self, directory: Path | None = None, *, network: str = "") -> None:
        """`network` (such as `10.0.0.0/24`) may connect, too."""
        self.directory = directory or Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.database = _TEMPLATE
        self._account = _account()
        if self._account:
            os.chown(self.directory, self._account["user"], self._account["group"])
        self._data = self.directory / "data"
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        self._number = 0
        self._addresses = "*" if network else "127.0.0.1"
        if network:
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {network} trust\n")

    def _run(self, name: str, *arguments: str) -> None:
        program = _binary(name)
        assert program
        command = [program, *arguments, "--no-locale"]
        subprocess.run(command, cwd=self.directory, check=True, stdout=subprocess.DEVNULL, **self._account)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        program = _binary("postgres")
        assert program
        options = [f"-c{name}={value}" for name, value in _OPTIONS.items()]
        command = [program, "-D", str(self._data), "-h", self._addresses, "-p", str(self.port), *options]
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen(
            command, cwd=self.directory, stdout=log, stderr=log, start_new_session=True, **self._account
        )
        wait_until(self._answers, "PostgreSQL to answer")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.execute("SELECT 1")
            return True
        return False

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, outside any transaction; return its rows."""
        with self.connect(database) as session:
            cursor = session.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str = "") -> "psycopg.Connection[Any]":
        """Return a new connection of the superuser, to the test's database by default."""
        name = database or self.database
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname={name} connect_timeout=5"
        return psycopg.connect(address, autocommit=True)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server. SIGINT breaks all connections; SIGQUIT is a crash, which it recovers from."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and start it again."""
        self.stop(how)
        self.start()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Refuse every write, on old and new connections, as a server that is no longer the primary does."""
        self._configure("default_transaction_read_only", "on")
        try:
            yield
        finally:
            self._configure("default_transaction_read_only", "off")

    def _configure(self, name: str, value: str) -> None:
        with self.connect("postgres") as session:
            session.execute("SET default_transaction_read_only = off")
            session.execute(f"ALTER SYSTEM SET {name} = {value}")
            session.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.execute(f"SHOW {name}") == [(value,)], f"{name} to be {value}")

    @contextmanager
    def no_connections(self) -> Iterator[None]:
        """End all connections and refuse new ones, as with too many clients (SQLSTATE 53300)."""
        self.execute(f"ALTER ROLE {self.user} CONNECTION LIMIT 0")
        self.end_connections()
        try:
            yield
        finally:
            self.execute(f"ALTER ROLE {self.user} CONNECTION LIMIT -1")

    def end_connections(self) -> None:
        """End every connection of the project."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.user}'")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server accept connections and answer none, for the block."""
        assert self.process
        pids = [self.process.pid, *self._children()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _children(self) -> list[int]:
        assert self.process
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def connections(self) -> int:
        """Return the number of the project's connections to the test's database."""
        sql = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{self.user}'"
        return int(self.execute(f"{sql} AND datname = '{self.database}'")[0][0])

    def settings(self, name: str) -> dict[str, Any]:
        """Return an entry of `DATABASES`."""
        address = {"USER": self.user, "PASSWORD": "", "HOST": "127.0.0.1", "PORT": self.port}
        return {"ENGINE": "django.db.backends.postgresql", "NAME": name, **address}

    def create(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        self._number += 1
        name = f"test{self._number}" if template == _TEMPLATE else _TEMPLATE
        self.execute(f"CREATE DATABASE {name} OWNER {self.user} TEMPLATE {template}")
        return name

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def _default_database(settings: dict[str, Any]) -> Iterator[None]:
    """Make these the settings of the database `default`, in all threads."""
    before = connections.settings["default"]
    kept = {key: before[key] for key in before if key not in ("ENGINE", "OPTIONS", *settings)}
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = {**kept, "OPTIONS": {}, **settings}
    try:
        yield
    finally:
        connections["default"].close()
        del connections["default"]
        connections.settings["default"] = before


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The session's server."""
    if not is_installed():
        pytest.skip("PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)")
    server = Postgres()
    server.start()
    server.execute(f"CREATE ROLE {server.user} LOGIN CREATEDB")
    yield server
    server.remove()


@pytest.fixture(scope="session")
def _migrated(postgres_server: Postgres, django_db_setup: None, django_db_blocker: Any) -> Postgres:
    name = postgres_server.create()
    with django_db_blocker.unblock(), _default_database(postgres_server.settings(name)):
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    return postgres_server


@pytest.fixture
def postgres(_migrated: Postgres, transactional_db: None) -> Iterator[Postgres]:
    """The session's server, with a new database to which this test and its processes are pointed."""
    server = _migrated
    if server.process is None or server.process.poll() is not None:
        server.start()
    server.database = server.create(_TEMPLATE)
    with _default_database(server.settings(server.database)):
        yield server
    if server.process is None:
        server.start()
    server.execute(f"DROP DATABASE {server.database} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest) -> None:
    """Run the test on both databases: the default one, and a PostgreSQL of the tests."""
    if request.param == "postgresql":
        request.getfixturevalue("postgres")
    if connections["default"].vendor != request.param:
        pytest.skip(f"the tests run on {connections['default'].vendor}")
