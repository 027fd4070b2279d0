"""What this process knows of its Redis: where the server is, and whether it is unavailable.

One call waits for a server that does not answer. After that the server counts as unavailable: calls fail at
once, until the server answers a ping that a thread sends in the background.
"""

import logging
import os
import threading
import time

import redis
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from queueing.conf import get_conf
from queueing.values.redis_url import parse_redis_url

from . import discovery
from .discovery import Address

logger = logging.getLogger(__name__)

#: Errors that say: this server cannot do it now, another one may. (MASTERDOWN is a subclass.)
_WRONG_SERVER = (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ReadOnlyError,
    TryAgainError,
)
#: Redis 6 quotes the error of a command in the error of the script that ran it.
_WRONG_IN_SCRIPT = ("-READONLY", "-LOADING", "-MASTERDOWN", "-CLUSTERDOWN", "-TRYAGAIN", "-MOVED")
#: Seconds that a failed attempt to connect may take without consequences.
_LONG = 0.25
#: Seconds between pings to a server that is unavailable.
_PROBE_INTERVAL = 0.5
#: Seconds without a call after which a server that is unavailable gets no more pings.
_PROBE_FOR = 600.0


class Server:
    """The Redis of one URL, shared by all threads and event loops of the process."""

    def __init__(self, url: str) -> None:
        self.url = parse_redis_url(url)
        self.generation = 0
        """It grows when open connections should not be used any longer. They then connect again."""
        self._address: Address | None = None
        self._nodes: list[Address] = []
        self._reason = ""
        """Why it is unavailable; empty while it is not."""
        self._asked_at = 0.0
        self._lock = threading.Lock()
        self._finding = threading.Lock()

    def check(self) -> None:
        """Raise `ConnectionError` while the server is unavailable."""
        if self._reason:
            self._asked_at = time.monotonic()
            raise redis.ConnectionError(self._reason)

    @property
    def is_unavailable(self) -> bool:
        """Whether calls fail at once."""
        return bool(self._reason)

    @property
    def known_address(self) -> Address | None:
        """Where to connect, if that is known without asking."""
        return self._address or (self.url.hosts[0] if self.url.kind == "server" and self.url.hosts else None)

    def address(self) -> Address | None:
        """Return where to connect; None for a Unix socket. Blocks."""
        if self.known_address or self.url.kind == "server":
            return self.known_address
        with self._finding:
            return self._address or self._find()

    def _find(self) -> Address:
        if self.url.kind == "sentinel":
            found = discovery.primary_of(self.url)
        else:
            found, self._nodes = discovery.owner_of(self.url, _slot_name(), self._nodes)
            discovery.ask(self.url, found, "PING")
        self._address = found
        return found

    def subscription_address(self) -> Address | None:
        """Return where to subscribe. Blocks.

        All nodes of a cluster receive all messages, so any node will do while the usual one is unavailable.
        """
        try:
            return self.address()
        except (redis.RedisError, OSError):
            if self.url.kind != "cluster":
                raise
            return discovery.first_that_answers(self.url, self.nodes)

    @property
    def nodes(self) -> list[Address]:
        """The nodes of the cluster, as far as they are known."""
        return list(dict.fromkeys([*self._nodes, *self.url.hosts]))

    def owns(self, error: AskError) -> bool:
        """Return whether an error of a cluster is about the engine's slot."""
        return bool(error.slot_id == key_slot(_slot_name().encode()))

    def is_wrong(self, error: BaseException) -> bool:
        """Return whether an error says that another server must do it: a new connection may help."""
        if isinstance(error, AskError):
            return self.owns(error)
        if isinstance(error, _WRONG_SERVER):
            return True
        return isinstance(error, ResponseError) and any(word in str(error) for word in _WRONG_IN_SCRIPT)

    def outdate(self) -> None:
        """Make all open connections connect again before their next use, where the server is by then."""
        self.generation += 1
        self._address = None

    def failed_to_connect(self, error: BaseException, seconds: float) -> None:
        """Count the server as unavailable if that took long. A server that refuses at once costs no wait."""
        if seconds >= _LONG:
            self.lost(error)
        else:
            self.outdate()

    def lost(self, error: BaseException) -> None:
        """Count the server as unavailable, since it did not answer, until it answers a ping."""
        self.outdate()
        with self._lock:
            if self._reason:
                return
            self._reason = str(error) or type(error).__name__
        self._asked_at = time.monotonic()
        threading.Thread(target=self._probe, name="redis-probe", daemon=True).start()

    def _probe(self) -> None:
        began = time.monotonic()
        while time.monotonic() - self._asked_at < _PROBE_FOR:
            try:
                discovery.ask(self.url, self.address(), "PING")
            except (redis.RedisError, OSError):
                self._address = None
                time.sleep(_PROBE_INTERVAL)
            else:
                logger.info("Redis answers again, after %.1f s (%s)", time.monotonic() - began, self._reason)
                break
        self._reason = ""


def _slot_name() -> str:
    """Return the hash tag of the engine's keys, which decides their slot in a cluster."""
    return f"{{{get_conf().prefix}}}"


_servers: dict[str, Server] = {}
# The thread that sends the pings, and the locks, do not survive a fork.
os.register_at_fork(after_in_child=_servers.clear)


def server(url: str = "") -> Server:
    """Return what this process knows of the server at `url`, by default that of the settings."""
    url = url or get_conf().redis_url
    if url not in _servers:
        _servers[url] = Server(url)
    return _servers[url]
