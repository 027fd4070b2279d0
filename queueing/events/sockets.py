"""What every WebSocket of a process needs: close codes, a limit to unread data, and an end with its session.

Servers buffer without limit what a client does not read, and a socket stays open after its session ended.
`SendWindow` and `SessionWatch` end both.
"""

import time
from collections.abc import Hashable
from importlib import import_module
from typing import Final, Protocol, TypeVar

from django.conf import settings

from queueing.record.database_thread import in_thread

from .periodic import Periodic, send_safely


class CloseCode:
    """The codes with which the server closes sockets. Clients act on these numbers (docs/protocol.md).

    They are plain integers, since servers refuse members of an `IntEnum`.
    """

    ABUSE: Final = 4008
    """Too many invalid or too frequent messages."""
    SESSION_ENDED: Final = 4401
    """The session or token that opened it is no longer valid: do not reconnect with it."""
    TOO_SLOW: Final = 4408
    """The client did not read what it was sent."""


class SendWindow:
    """Count what was sent to a client and not yet acknowledged, in bytes or in messages.

    The window closes at `max_unread` units and opens again below `resume_below`. Every `ack_every` units
    the sender passes a number to the client, which returns it when it has read everything before it.
    """

    def __init__(self, *, max_unread: int, resume_below: int, ack_every: int, timeout: float) -> None:
        self.closed = False
        """Whether nothing more should be sent."""
        self._max_unread, self._resume_below = max_unread, resume_below
        self._ack_every, self._timeout = ack_every, timeout
        self._sent = self._read = self._last_number = 0
        self._pending: dict[int, int] = {}
        """Numbers without an answer, in order -> units sent before each."""
        self._waiting_since = time.monotonic()

    def sent(self, size: int = 1, *, number: int | None = None) -> int | None:
        """Count `size` units as sent; return the number to pass to the client when one is due.

        `number` is the caller's own, larger than those before; by default the numbers are 1, 2, 3, …
        """
        self._sent += size
        if self._sent - self._read >= self._max_unread:
            self.closed = True
        asked_at = next(reversed(self._pending.values())) if self._pending else self._read
        if self._sent - asked_at < self._ack_every:
            return None
        if not self._pending:
            self._waiting_since = time.monotonic()
        self._last_number = self._last_number + 1 if number is None else number
        self._pending[self._last_number] = self._sent
        return self._last_number

    def acknowledge(self, number: object) -> bool:
        """Take the client's answer; return whether it opened the window again. Ignore unknown numbers."""
        if not isinstance(number, int) or number not in self._pending:
            return False
        for pending in [pending for pending in self._pending if pending <= number]:
            self._read = self._pending.pop(pending)
        self._waiting_since = time.monotonic()
        if self.closed and self._sent - self._read < self._resume_below:
            self.closed = False
            return True
        return False

    @property
    def is_overdue(self) -> bool:
        """Whether the window is closed and the client has acknowledged nothing for `timeout` seconds."""
        return self.closed and time.monotonic() - self._waiting_since > self._timeout


class WatchedSocket(Hashable, Protocol):
    """A socket as `SessionWatch` sees it."""

    session_key: str
    """The key of the session, or the name of the token, that opened it."""

    @property
    def is_overdue(self) -> bool:
        """Whether its client has not read for too long."""

    async def close(self, code: int) -> None:
        """Close it with a `CloseCode`."""


Socket = TypeVar("Socket", bound=WatchedSocket)


class SessionWatch(Periodic[Socket]):
    """The open sockets of one event loop: closed when their session ended or their client does not read."""

    every = 3.0

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return those of the session keys that are still valid."""
        raise NotImplementedError

    async def tick(self) -> None:
        """Close the sockets that must not stay open."""
        for socket in [socket for socket in self.members if socket.is_overdue]:
            await self.end(socket, CloseCode.TOO_SLOW)
        await self._check({socket.session_key for socket in self.members})

    async def _check(self, keys: set[str]) -> None:
        """Close the sockets of the sessions that have ended. A session that got a new key goes on with it."""
        ended = keys - await self.valid_among(keys)
        renewed = {key: await in_thread(_renewed_key)(key) for key in ended}
        for socket in [socket for socket in self.members if socket.session_key in ended]:
            if new := renewed[socket.session_key]:
                socket.session_key = new
            else:
                await self.end(socket, CloseCode.SESSION_ENDED)
        if learned := set(filter(None, renewed.values())):
            await self._check(learned)

    async def end(self, socket: Socket, code: int) -> None:
        """Close one socket, without waiting long for a client that does not react."""
        await send_safely(socket.close(code))


def _renewed_key(session_key: str) -> str:
    """Return the key that a session got in place of this one; empty if it got none. Blocks.

    The session store of a project whose sessions get new keys has a method `renewed_key`.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return str(store.renewed_key()) if hasattr(store, "renewed_key") else ""
