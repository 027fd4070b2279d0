"""The socket of one browser tab: who is on it, what it says, and what it is told.

`protocol/client_messages` validates what clients send, `handlers` carries it out, and
`conversations/serializers` builds the replies. `queueing/events/follower.py` keeps track of the jobs that a
client follows, `flow_control` limits both directions, and `accounts/open_sockets` decides when to close.
"""

import asyncio
import json
import logging
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from chat.accounts import open_sockets, tokens
from chat.accounts.owners import owner_of
from chat.care.card import Locale
from chat.conversations import serializers
from chat.errors import LimitReached
from chat.limits.addresses import client_address
from chat.protocol import client_messages
from chat.protocol.error_events import CLIENT_FAULTS, error_event
from queueing.api import events
from queueing.api.events import Follower, PressureWatch
from queueing.api.sockets import CloseCode, close_channel, in_thread

from . import flow_control, handlers
from .live_rendering import Live

logger = logging.getLogger(__name__)

#: What a tab that has fallen behind can do without.
_PASSING = ("position", "progress", "pressure", "rendered")


class ChatConsumer(AsyncWebsocketConsumer):
    """`/ws/`: one owner's events, and what the owner asks for."""

    owner = ""
    session_key = ""
    address = ""
    follower: Follower | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels', without its trip to a thread per message: `in_thread` tidies connections itself."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, *call: Any) -> None:
        try:
            await super().__call__(*call)
        finally:
            if hasattr(self, "channel_name"):
                await close_channel(self.channel_layer, self.channel_name)

    async def connect(self) -> None:
        self.address = client_address(self.scope)
        secret, subprotocol = tokens.secret_in_handshake(self.scope)
        try:
            await self.identify(secret)
        except (tokens.TokenRefused, LimitReached):
            return await self.close()  # the handshake is answered with 403
        self.whereabouts = Locale.of_scope(self.scope)
        #: Jobs whose `queued` this socket has already answered itself.
        self.answered: set[str] = set()
        self.budget = flow_control.Bucket(flow_control.BURST, flow_control.RATE)
        self.strikes = flow_control.Bucket(flow_control.STRIKES, flow_control.FORGIVEN)
        self.window = flow_control.send_window()
        self.following = self.follower = Follower(self.tell, lambda: self.window.closed)
        self.live = Live(self.following, self.tell)
        try:
            await self.channel_layer.group_add(events.group_of(self.owner), self.channel_name)
            await self.accept(subprotocol)
            await self.greet()
        except BaseException:
            await self.disconnect(1011)
            raise

    async def identify(self, secret: str | None) -> None:
        """Whose socket this is: a token's user's, or the visitor's whose session it is."""
        if secret is None:
            self.owner = await in_thread(owner_of)(self.scope["user"], self.scope["session"])
            self.session_key = self.scope["session"].session_key
        else:
            self.owner = await in_thread(tokens.owner_of)(secret, "chat", self.address)
            self.session_key = open_sockets.TOKEN + tokens.digest(secret)

    async def greet(self) -> None:
        open_sockets.OpenSockets.for_running_loop().add(self)
        pressures = PressureWatch.for_running_loop()
        pressures.add(self.tell)
        await self.tell({"type": "hello", "owner": self.owner, "demo": settings.DEMO_MODEL})
        for event in pressures.current():
            await self.tell(event)

    async def disconnect(self, code: int) -> None:
        if self.follower is None:
            return
        self.live.close()
        self.follower.close()
        open_sockets.OpenSockets.for_running_loop().discard(self)
        PressureWatch.for_running_loop().discard(self.tell)
        try:
            await self.channel_layer.group_discard(events.group_of(self.owner), self.channel_name)
        except Exception as exc:  # a layer that is just reconnecting raises all sorts of things
            logger.warning("the group of a closed socket is left later: %r", exc)

    # --- what the tab says ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer one frame. Whatever is wrong with it, the socket lives on, unless that never ends."""
        request_id = kind = ""
        try:
            message = self.understand(text_data)
            kind = message.type
            request_id = getattr(message, "request_id", None) or ""
            self.charge(kind)
            await handlers.answer(self, message)
        except Exception as exc:
            await self.refuse(error_event(exc, request_id=request_id, message_type=kind))

    def understand(self, text: str | None) -> client_messages.ClientMessage:
        try:
            return client_messages.parse(text)
        except client_messages.BadFrame:
            self.charge("invalid")
            raise

    def charge(self, kind: str) -> None:
        cost = flow_control.COSTS.get(kind, 1.0)
        if not self.budget.take(cost):
            wait = round(self.budget.wait(cost), 1)
            raise client_messages.BadFrame(
                "too_many", "That was too fast. Please wait a moment.", retry_after=wait
            )

    async def refuse(self, event: dict[str, Any]) -> None:
        await self.tell(event)
        if event["code"] in CLIENT_FAULTS and not self.strikes.take():
            await self.close(CloseCode.ABUSE)

    # --- what the tab is told ---

    async def queue_event(self, message: dict[str, Any]) -> None:
        """An event for the owner, from the engine or another tab."""
        event = message["event"]
        if "jobId" not in event or events.topic_of(event) == "thread":
            await self.tell(event)
        elif events.name_of(event) == "queued" and event["jobId"] in self.answered:
            self.answered.discard(event["jobId"])  # a later one is a retry's, and news
        else:
            await self.following.receive(event)

    async def session_ended(self, message: dict[str, Any]) -> None:
        if message["session"] in (open_sockets.ALL_SESSIONS, open_sockets.digest(self.session_key)):
            await self.close(CloseCode.SESSION_ENDED)

    @property
    def is_overdue(self) -> bool:
        return self.window.is_overdue

    async def tell(self, event: dict[str, Any]) -> None:
        """Send one event. Long answers take milliseconds to render, so that happens in a thread."""
        if self.window.closed and events.name_of(event) in _PASSING:
            return
        if events.is_terminal(event):
            event = await asyncio.to_thread(serializers.decorate, event)
        text = json.dumps(event, ensure_ascii=False)
        await self.send(text_data=text)
        if event["type"] == "audio:completed" and "messageId" in event:
            await handlers.heard(self, event)
        if number := self.window.sent(len(text)):
            await self.send(text_data=json.dumps({"type": "ping", "t": number}))
