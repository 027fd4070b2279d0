"""The client of one socket: its identity, the jobs it follows, and how events reach it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from chat.care.card import Locale, card_for
from chat.conversations import serializers
from queueing.api import events
from queueing.api.events import Event, Follower

from . import flow_control
from .live_rendering import LiveRenderer

_as_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder for each event
#: Events that a client which has fallen behind can do without.
_DROPPABLE = ("position", "progress", "pressure", "rendered")


class SocketClient:
    """One connected browser tab or program."""

    def __init__(
        self, *, owner: str, address: str, locale: Locale, send_text: Callable[[str], Awaitable[None]]
    ) -> None:
        self.owner = owner
        self.address = address
        """A `client_address`."""
        self.locale = locale
        self.window = flow_control.send_window()
        self.follower = Follower(self.send, lambda: self.window.closed)
        self.live = LiveRenderer(self.follower, self.send)
        self._send_text = send_text

    def close(self) -> None:
        """End everything that sends to this client."""
        self.live.close()
        self.follower.close()

    async def send(self, event: Event) -> None:
        """Send one event. Long answers take milliseconds to render, so that happens in a thread."""
        if self.window.closed and events.name_of(event) in _DROPPABLE:
            return
        if events.is_terminal(event):
            event = await asyncio.to_thread(serializers.decorate, event)
        text = _as_json(event)
        await self._send_text(text)
        if event["type"] == "audio:completed" and "messageId" in event:
            # A recording can be screened only now that it is text. Its job has counted the card.
            await self.send_help_card(event["response"], event["requestId"])
        if number := self.window.sent(len(text)):
            await self._send_text(json.dumps({"type": "ping", "t": number}))

    async def send_help_card(self, text: str, request_id: str) -> str:
        """Send help lines if `text` speaks of a crisis. Return the level of concern, or nothing."""
        card = await asyncio.to_thread(card_for, text, self.locale)
        if not card:
            return ""
        await self.send_card(card, request_id)
        return str(card["level"])

    async def send_card(self, card: dict[str, Any], request_id: str) -> None:
        """Send a card of help lines."""
        await self.send({"type": "care:help", "requestId": request_id, **card})
