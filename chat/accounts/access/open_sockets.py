"""The open sockets and event streams of a process, closed when their session or token ends."""

import asyncio
from typing import Any, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from queueing.api import redis
from queueing.api.events import group_of
from queueing.api.sockets import CloseCode, SessionWatch, WatchedSocket, in_thread

from . import blocks, gate
from .access_keys import still_valid
from .owners import owner_of_session
from .sessions.store import stored_key

#: In place of a session's digest (`stored_key`): all sessions of the owner.
ALL_SESSIONS = "*"

#: Session keys checked by one statement.
_KEYS_PER_QUERY = 500


class Opened(WatchedSocket, Protocol):
    """A socket or stream, with what the gate asks of it."""

    @property
    def owner(self) -> str:
        """The owner for whom it was opened."""

    @property
    def address(self) -> str:
        """The `client_address` from which it was opened."""


class OpenSockets(SessionWatch[Opened]):
    """The chat sockets and event streams of one event loop."""

    async def tick(self) -> None:
        """Close what must not stay open, and what belongs to those who were blocked."""
        await super().tick()
        opened = list(self.members)
        blocked = await in_thread(_blocked_among)({(one.owner, one.address) for one in opened})
        for one in opened:
            if (one.owner, one.address) in blocked:
                await self.end(one, CloseCode.SESSION_ENDED)

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return those keys whose access key may still be used."""
        ordered, valid = sorted(keys), set[str]()
        for i in range(0, len(ordered), _KEYS_PER_QUERY):
            valid |= await in_thread(still_valid)(ordered[i : i + _KEYS_PER_QUERY])
        return valid


class OpenStream:
    """A response that is sent while something happens, as `OpenSockets` sees it."""

    is_overdue = False

    def __init__(self, access_key: str, owner: str, address: str) -> None:
        self.session_key, self.owner, self.address = access_key, owner, address
        self._ended = asyncio.Event()

    async def close(self, code: int) -> None:
        """End the stream: its access key may no longer be used."""
        self._ended.set()

    async def wait_until_ended(self) -> None:
        """Return when the access key may no longer be used. It is watched until then."""
        watch = OpenSockets.for_running_loop()
        watch.add(self)
        try:
            await self._ended.wait()
        finally:
            watch.discard(self)


def _blocked_among(opened: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those owners and addresses that are blocked."""
    return {one for one in opened if gate.is_blocked(*one)} if blocks.current() else set()


def close_all_of(owner: str) -> None:
    """Close all sockets of an owner. A socket that misses the message is closed by the next check."""
    _announce_end(owner, ALL_SESSIONS)


def close_one(owner: str, session: str) -> None:
    """Close the sockets of one session of an owner, by its digest."""
    _announce_end(owner, session)


def close_after_logout(*, request: Any, **_: Any) -> None:
    """Receive `user_logged_out`: close the sockets of that session before the next check.

    With `request.is_erasing` erasing closes them, after it has told the pages why.
    """
    if request.session.session_key and not getattr(request, "is_erasing", False):
        _announce_end(owner_of_session(request.session), stored_key(request.session.session_key))


def _announce_end(owner: str, session: str) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group_of(owner), {"type": "session.ended", "session": session})
    except redis.Unavailable:
        return  # the next check finds them
