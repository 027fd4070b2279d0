"""What a process shows its open tabs: one look a second for all, and to each what has changed for it."""

import json
import logging
import time
from collections.abc import Iterable

from django.db import DatabaseError
from django.utils import timezone

from queueing.events.periodic import send_safely
from queueing.events.sockets import CloseCode, SessionWatch

from . import parts
from .cache import Kept
from .client import Tab, eyes_of
from .viewer import View

logger = logging.getLogger(__name__)

#: Seconds between checks of sessions and permissions.
_CHECK_EVERY = 3.0
_NO_DATABASE = "The database does not answer. What is shown is older; it is tried again each second."


class Board(SessionWatch[Tab]):
    """All tabs that are open here."""

    every = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._kept = Kept()
        self._round = 0
        self._checked_at = 0.0
        self._texts: dict[tuple[tuple[str, str], ...], str] = {}
        """What was sent in this round, by its parts: written once for all who are told the same."""

    async def tick(self) -> None:
        """Make what there is to show, and send it."""
        try:
            if time.monotonic() - self._checked_at >= _CHECK_EVERY:
                self._checked_at = time.monotonic()
                await super().tick()
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
            await send_safely(tab.send(json.dumps({"type": "trouble", "text": _NO_DATABASE})))

    async def _show(self, view: View, tabs: Iterable[Tab]) -> None:
        made = {name: await parts.render(name, view, self._kept) for name in parts.for_view(view)}
        for tab in tabs:
            if tab.window.closed or tab.view != view:
                continue  # it is sent the latest when it has read what it was sent, or looks elsewhere by now
            changed = tuple((name, html) for name, html in made.items() if tab.sent.get(name) != html)
            tab.sent = made
            tab.window.sent(number=self._round)
            await send_safely(tab.send(self._text(changed)))

    def _text(self, changed: tuple[tuple[str, str], ...]) -> str:
        if changed not in self._texts:
            at = f"{timezone.now():%H:%M:%S}"
            said = {"type": "parts", "round": self._round, "at": at, "parts": dict(changed)}
            self._texts[changed] = json.dumps(said, ensure_ascii=False)
        return self._texts[changed]

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return the keys of staff sessions, after refreshing what their tabs may see."""
        eyes = {key: await eyes_of(key) for key in keys}
        for tab in self.members:
            if (view := eyes.get(tab.session_key)) is not None:
                tab.view = tab.view.with_eyes_of(view)
        return {key for key, view in eyes.items() if view is not None}

    async def end(self, tab: Tab, code: CloseCode) -> None:
        """Close a tab, and send it nothing more."""
        self.discard(tab)
        await super().end(tab, code)
