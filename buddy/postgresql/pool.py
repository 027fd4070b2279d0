"""The connections of one process to PostgreSQL."""

import select
import time
from collections.abc import Callable
from threading import BoundedSemaphore, Lock
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

#: Seconds after which an idle connection is asked whether it works, before it is used.
_ASK_AFTER = 10.0
#: Seconds after which an idle connection is closed.
_MAX_IDLE = 300.0
#: A connection that cannot be opened within this number of seconds: the server is silent.
_SILENT_AFTER = 1.0


class Pool:
    """At most `max_size` connections, each opened by the thread that needs it.

    So there is no thread that tries in the background, and nothing to wait for when the server is back. A
    server that is silent is asked by one thread at a time; the others fail at once.
    """

    def __init__(self, connect: Callable[[], "Connection[Any]"], *, max_size: int, timeout: float) -> None:
        self._connect = connect
        self._max_size = max_size
        self._timeout = timeout
        """Seconds to wait for another thread's connection."""
        self._room = BoundedSemaphore(max_size)
        self._idle: list[tuple[Connection[Any], float]] = []
        """Connections and the time since when they are idle, the latest last."""
        self._lock = Lock()
        self._silent = False
        self._asking = Lock()

    def open(self) -> None:
        """Do nothing: connections are opened when they are needed. Django calls this."""

    def close(self) -> None:
        """Close the idle connections."""
        self.discard_idle()

    def getconn(self) -> "Connection[Any]":
        """Return a connection that works. Raise psycopg's `OperationalError`."""
        if not self._room.acquire(timeout=self._timeout):
            raise OperationalError(f"all {self._max_size} connections of the pool are in use")
        try:
            connection = self._take_idle() or self._open()
        except BaseException:
            self._room.release()
            raise
        pool: Any = self  # psycopg types it as a pool of psycopg_pool, which is not installed
        connection._pool = pool  # Django gives the connection back through this
        return connection

    def putconn(self, connection: "Connection[Any]", *, reuse: bool = True) -> None:
        """Take a connection back; close it unless it can be used again."""
        connection._pool = None
        if reuse and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            with self._lock:
                self._idle.append((connection, time.monotonic()))
        else:
            connection.close()
        self._room.release()
        self._close_idle_since(time.monotonic() - _MAX_IDLE)

    def discard_idle(self) -> None:
        """Close the idle connections: they lead to a server that has just failed."""
        self._close_idle_since(time.monotonic())

    def _close_idle_since(self, before: float) -> None:
        with self._lock:
            old = [connection for connection, since in self._idle if since <= before]
            self._idle = [entry for entry in self._idle if entry[1] > before]
        for connection in old:
            connection.close()

    def _take_idle(self) -> "Connection[Any] | None":
        with self._lock:
            if not self._idle:
                return None
            connection, since = self._idle.pop()
        if _works(connection, since):
            return connection
        connection.close()
        self.discard_idle()
        return None

    def _open(self) -> "Connection[Any]":
        silent = self._silent
        if silent and not self._asking.acquire(blocking=False):
            raise OperationalError("the database does not answer")
        began = time.monotonic()
        try:
            connection = self._connect()
        except OperationalError:
            self._silent = time.monotonic() - began > _SILENT_AFTER
            raise
        else:
            self._silent = False
            return connection
        finally:
            if silent:
                self._asking.release()


def _works(connection: "Connection[Any]", since: float) -> bool:
    """Ask the server, unless the connection was used just now and the server has not closed it."""
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
        if time.monotonic() - since < _ASK_AFTER and not poll.poll(0):
            return True
        connection.execute("")
    except OperationalError:
        return False
    return True
