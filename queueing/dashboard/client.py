"""One open page: its selection, what it was sent, and how far it has read."""

import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from django.conf import settings

from queueing.events.sockets import SendWindow
from queueing.record.database_thread import in_thread
from queueing.values.extras import extra

from .viewer import Viewer, may_open

with extra("channels"):
    from channels.auth import get_user

Message = dict[str, Any]

#: Unread rounds from which a page is sent no more, and seconds after which such a page is disconnected.
_MAX_UNREAD, _READ_TIMEOUT = 3, 30.0
#: The maximum length of a frame in characters; the page's own frames are shorter.
_MAX_FRAME = 500


class DashboardClient:
    """The socket of one open page."""

    def __init__(self, session_key: str, viewer: Viewer, send: Callable[[Message], Awaitable[None]]) -> None:
        self.session_key = session_key
        self.viewer = viewer
        self.sent: dict[str, str] = {}
        """The latest HTML by the name of its part."""
        self.window = SendWindow(
            max_unread=_MAX_UNREAD, resume_below=_MAX_UNREAD, ack_every=1, timeout=_READ_TIMEOUT
        )
        self._send = send

    @property
    def is_overdue(self) -> bool:
        """True if the page has not read for too long."""
        return self.window.is_overdue

    def receive(self, text: str) -> bool:
        """Handle a frame, and return whether it selects something else. Invalid frames are ignored."""
        try:
            frame = json.loads(text) if len(text) <= _MAX_FRAME else None
        except ValueError:
            return False
        if not isinstance(frame, dict):
            return False
        self.window.acknowledge(frame.get("seen"))
        if isinstance(selection := frame.get("show"), dict):
            self.viewer = self.viewer.with_selection(selection)
            return True
        return False

    async def send(self, text: str) -> None:
        """Send a frame."""
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Close the socket with a code that tells the page why."""
        await self._send({"type": "websocket.close", "code": code})


async def viewer_of_session(session_key: str) -> Viewer | None:
    """Return the present permissions of the session's user; None if the session ended or is not staff's.

    The session and the user are read again; a changed password ends a session.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(session_key)
    user = await get_user({"session": session})
    return await in_thread(_viewer)(user, session)


def _viewer(user: Any, session: Any) -> Viewer | None:
    return Viewer.of(user, {}) if may_open(user, session) else None
