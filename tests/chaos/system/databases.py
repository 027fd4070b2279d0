"""The databases of a run: one SQLite file, or one PostgreSQL server."""

import signal
import sqlite3
from pathlib import Path

from tests.support.postgres import Postgres


class Sqlite:
    """One file, used by all processes."""

    port = 0

    def __init__(self, directory: Path) -> None:
        self._file = directory / "db.sqlite3"
        self.version = f"SQLite {sqlite3.sqlite_version}"

    def url(self, port: int = 0) -> str:
        return f"sqlite:///{self._file}"

    def start(self) -> None:
        """Do nothing: it is a file."""

    def shut_down(self) -> None:
        """Do nothing: it is a file."""

    def lock(self) -> sqlite3.Connection:
        """Take the write lock. Closing the connection releases it."""
        connection = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection


class PostgresServer:
    """One server, reached over a link."""

    def __init__(self, directory: Path) -> None:
        data = directory / "postgres"
        data.mkdir()
        self.server = Postgres(data)
        self.port = self.server.port
        self.start()
        self.server.execute(f"CREATE ROLE {self.server.user} LOGIN")
        # As in production: a commit that was confirmed survives a crash of the server.
        self.server.execute(f"ALTER ROLE {self.server.user} SET synchronous_commit = on")
        self._name = self.server.create()
        self.version = "PostgreSQL " + self.server.execute("SHOW server_version")[0][0].split()[0]

    def url(self, port: int = 0) -> str:
        return f"postgres://{self.server.user}:@127.0.0.1:{port or self.port}/{self._name}"

    def start(self) -> None:
        """Start it, unless it runs: a full disk may have ended it."""
        if self.server.process is None or self.server.process.poll() is not None:
            self.server.start()

    def shut_down(self) -> None:
        self.server.stop(signal.SIGQUIT)
