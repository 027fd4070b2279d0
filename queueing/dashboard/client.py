"""One open tab: what it looks at, what it was sent, and how far it has read."""

import json
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from channels.auth import get_user
from django.conf import settings

from queueing.events.follower import in_thread

from .viewer import View, is_staff

Message = dict[str, Any]

#: Rounds a tab may be behind before it is sent no more, and seconds until it is closed.
_BEHIND, _PATIENCE = 3, 30.0
#: Characters of a frame: more says no tab of ours.
_LONGEST = 500


class Tab:
    """Whose it is, what it looks at, and what it was sent."""

    def __init__(self, session_key: str, view: View, send: Callable[[Message], Awaitable[None]]) -> None:
        self.session_key = session_key
        self.view = view
        self.sent: dict[str, str] = {}
        """The latest HTML by the name of its part."""
        self.unread: list[int] = []
        """Rounds it has not said that it has read."""
        self._heard = time.monotonic()
        self._send = send

    @property
    def is_behind(self) -> bool:
        """Whether it should first read what it was sent."""
        return len(self.unread) >= _BEHIND

    @property
    def is_lost(self) -> bool:
        """Whether it has been behind for so long that nobody seems to be there."""
        return self.is_behind and time.monotonic() - self._heard > _PATIENCE

    def hears(self, text: str) -> bool:
        """Take what the tab says; whether it wants to see something else now. Nonsense is passed over."""
        try:
            said = json.loads(text) if len(text) <= _LONGEST else None
        except ValueError:
            return False
        if not isinstance(said, dict):
            return False
        self._heard = time.monotonic()
        if isinstance(seen := said.get("seen"), int):
            self.unread = [number for number in self.unread if number > seen]
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
