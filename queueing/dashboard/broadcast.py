"""What a process shows its open tabs: one look a second for all, and to each what has changed for it."""

import json
import logging
import time
from collections.abc import Iterable

from django.db import DatabaseError
from django.utils import timezone

from queueing.events.periodic import Periodic, safely

from . import parts
from .cache import Kept
from .client import Tab, eyes_of
from .viewer import View

logger = logging.getLogger(__name__)

#: Close codes: as docs/protocol.md gives them for the chat's socket.
SESSION_ENDED = 4401
TOO_SLOW = 4408
#: Seconds between asking whether those who look are still signed in, and still may.
_ASK = 3.0
_NO_DATABASE = "The database does not answer. What is shown is older; it is tried again each second."


class Board(Periodic[Tab]):
    """All tabs that are open here."""

    every = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._kept = Kept()
        self._round = 0
        self._asked = 0.0
        self._texts: dict[tuple[tuple[str, str], ...], str] = {}
        """What was sent in this round, by its parts: written once for all who are told the same."""

    async def look(self) -> None:
        """Make what there is to show, and send it."""
        try:
            if time.monotonic() - self._asked >= _ASK:
                self._asked = time.monotonic()
                await self._close_those_who_may_not()
            self._round += 1
            self._texts.clear()
            for view in {tab.view for tab in self.members}:
                await self._show(view, [tab for tab in self.members if tab.view == view])
        except DatabaseError as exc:
            await self._tell_trouble(list(self.members), exc)

    async def show(self, tab: Tab) -> None:
        """Send one tab what it has not seen, now."""
        try:
            await self._show(tab.view, [tab])
        except DatabaseError as exc:
            await self._tell_trouble([tab], exc)

    async def _tell_trouble(self, tabs: list[Tab], exc: DatabaseError) -> None:
        logger.warning("the dashboard cannot read the record: %s", exc)
        for tab in tabs:
            await safely(tab.send(json.dumps({"type": "trouble", "text": _NO_DATABASE})))

    async def _show(self, view: View, tabs: Iterable[Tab]) -> None:
        made = {name: await parts.render(name, view, self._kept) for name in parts.for_view(view)}
        for tab in tabs:
            if tab.is_behind or tab.view != view:
                continue  # it is sent the latest when it has read what it was sent, or looks elsewhere by now
            changed = tuple((name, html) for name, html in made.items() if tab.sent.get(name) != html)
            tab.sent = made
            tab.unread.append(self._round)
            await safely(tab.send(self._text(changed)))

    def _text(self, changed: tuple[tuple[str, str], ...]) -> str:
        if changed not in self._texts:
            at = f"{timezone.now():%H:%M:%S}"
            said = {"type": "parts", "round": self._round, "at": at, "parts": dict(changed)}
            self._texts[changed] = json.dumps(said, ensure_ascii=False)
        return self._texts[changed]

    async def _close_those_who_may_not(self) -> None:
        """Whose session is over? Who has stopped reading? And what may the others see by now?"""
        for key in {tab.session_key for tab in self.members}:
            eyes = await eyes_of(key)
            for tab in [tab for tab in self.members if tab.session_key == key]:
                if eyes is None:
                    await self._close(tab, SESSION_ENDED)
                elif tab.is_lost:
                    await self._close(tab, TOO_SLOW)
                else:
                    tab.view = tab.view.with_eyes_of(eyes)

    async def _close(self, tab: Tab, code: int) -> None:
        self.discard(tab)
        await safely(tab.close(code))
