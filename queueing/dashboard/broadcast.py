"""Rounds: once a second, all open pages of a process are sent what has changed for them."""

import json
import logging
import time
from collections.abc import Iterable

from django.db import DatabaseError
from django.utils import timezone

from queueing.events.periodic import send_safely
from queueing.events.sockets import SessionWatch

from . import parts, texts
from .cache import TTLCache
from .client import DashboardClient, viewer_of_session
from .viewer import Viewer

logger = logging.getLogger(__name__)

#: Seconds between checks of sessions and permissions.
_CHECK_INTERVAL = 3.0


class Broadcast(SessionWatch[DashboardClient]):
    """All open pages of one event loop."""

    every = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._cache = TTLCache()
        self._round = 0
        self._checked_at = 0.0
        self._frames: dict[tuple[tuple[str, str], ...], str] = {}
        """The frames of this round by their parts: each is encoded once for all clients."""

    async def tick(self) -> None:
        """Render the parts and send each client its changes."""
        try:
            if time.monotonic() - self._checked_at >= _CHECK_INTERVAL:
                self._checked_at = time.monotonic()
                await super().tick()
            self._round += 1
            self._frames.clear()
            for viewer in {client.viewer for client in self.members}:
                await self._show_safely(viewer)
        except DatabaseError as exc:
            await self._report_trouble(list(self.members), exc)

    async def _show_safely(self, viewer: Viewer) -> None:
        """Send the clients of one viewer their changes. An error costs no other viewer the round."""
        try:
            await self._show(viewer, [client for client in self.members if client.viewer == viewer])
        except DatabaseError:
            raise
        except Exception:
            logger.exception("a viewer of the dashboard gets nothing in this round")

    async def show(self, client: DashboardClient) -> None:
        """Send one client what it has not seen, now."""
        try:
            await self._show(client.viewer, [client])
        except DatabaseError as exc:
            await self._report_trouble([client], exc)

    async def _report_trouble(self, clients: list[DashboardClient], exc: DatabaseError) -> None:
        logger.warning("the dashboard cannot read the database: %s", exc)
        frame = json.dumps({"type": "trouble", "text": texts.DATABASE_UNAVAILABLE})
        for client in clients:
            await send_safely(client.send(frame))

    async def _show(self, viewer: Viewer, clients: Iterable[DashboardClient]) -> None:
        html = {name: await parts.render(name, viewer, self._cache) for name in parts.for_viewer(viewer)}
        for client in clients:
            if client.window.closed or client.viewer != viewer:
                continue  # a later round sends the latest: after it has read, or with its new selection
            changed = tuple((name, part) for name, part in html.items() if client.sent.get(name) != part)
            client.sent = html
            client.window.sent(number=self._round)
            await send_safely(client.send(self._frame(changed)))

    def _frame(self, changed: tuple[tuple[str, str], ...]) -> str:
        if changed not in self._frames:
            at = f"{timezone.now():%H:%M:%S}"
            frame = {"type": "parts", "round": self._round, "at": at, "parts": dict(changed)}
            self._frames[changed] = json.dumps(frame, ensure_ascii=False)
        return self._frames[changed]

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return the keys of staff sessions, after refreshing the permissions of their clients."""
        viewers = {key: await viewer_of_session(key) for key in keys}
        for client in self.members:
            if (viewer := viewers.get(client.session_key)) is not None:
                client.viewer = client.viewer.with_permissions_of(viewer)
        return {key for key, viewer in viewers.items() if viewer is not None}

    async def end(self, client: DashboardClient, code: int) -> None:
        """Close a client's socket, and send it nothing more."""
        self.discard(client)
        await super().end(client, code)
