"""One open tab: what it looks at, what it was sent, and how far it has read."""

import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from channels.auth import get_user
from django.conf import settings

from queueing.events.sockets import SendWindow
from queueing.record.database_thread import in_thread

from .viewer import View, is_staff

Message = dict[str, Any]

#: Unread rounds at which a tab is sent no more, and seconds until it is closed.
_MAX_UNREAD, _READ_TIMEOUT = 3, 30.0
#: Characters of a frame: more says no tab of ours.
_LONGEST = 500


class Tab:
    """Whose it is, what it looks at, and what it was sent."""

    def __init__(self, session_key: str, view: View, send: Callable[[Message], Awaitable[None]]) -> None:
        self.session_key = session_key
        self.view = view
        self.sent: dict[str, str] = {}
        """The latest HTML by the name of its part."""
        self.window = SendWindow(
            max_unread=_MAX_UNREAD, resume_below=_MAX_UNREAD, ack_every=1, timeout=_READ_TIMEOUT
        )
        self._send = send

    @property
    def is_overdue(self) -> bool:
        """Whether it has not read for too long."""
        return self.window.is_overdue

    def hears(self, text: str) -> bool:
        """Take what the tab says; whether it wants to see something else now. Nonsense is passed over."""
        try:
            said = json.loads(text) if len(text) <= _LONGEST else None
        except ValueError:
            return False
        if not isinstance(said, dict):
            return False
        self.window.acknowledge(said.get("seen"))
        if isinstance(asked := said.get("show"), dict):
            self.view = self.view.at(asked)
            return True
        return False

    async def send(self, text: str) -> None:
        """Tell the tab."""
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """End it; the browser is told why."""
        await self._send({"type": "websocket.close", "code": code})


async def eyes_of(session_key: str) -> View | None:
    """What the session's user may see by now; None when it is over, or its user no longer of the staff.

    The session and the user are read anew, and a changed password ends a session.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    user = await get_user({"session": store(session_key)})
    return await in_thread(View.of)(user, {}) if is_staff(user) else None
