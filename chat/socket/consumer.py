"""The consumer of a connection: identify the client, limit its messages, hand them to their handlers.

Its wire is a WebSocket, or HTTP (`http_wire`) where a network forbids WebSockets.

`access` says whose it is and what its client may do. `protocol/client_messages` validates what clients send,
`handlers` carries it out, and `client` sends events. The engine's `Follower` keeps track of the jobs that a
client follows, `flow_control` limits both directions, and `accounts/access/open_sockets` decides when to
close.
"""

import logging
from contextlib import suppress
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings

from chat.accounts.access import open_sockets, tokens
from chat.care.card import Locale
from chat.errors import ChatError
from chat.limits.addresses import client_address
from chat.protocol import client_messages, texts
from chat.protocol.error_events import CLIENT_FAULTS, error_event
from queueing.api import add_log_ids, events, log_ids, tracing
from queueing.api.events import Event, PressureWatch
from queueing.api.sockets import CloseCode, close_channel

from . import handlers
from .access import Access
from .client import SocketClient
from .direct_send import DIRECT_SEND
from .flow_control import error_limit, message_cost, message_limit

logger = logging.getLogger(__name__)


class ChatConsumer(AsyncWebsocketConsumer):
    """The messages of one client, and the events of its owner."""

    access: Access
    client: SocketClient | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler without Channels' trip to a thread: `in_thread` closes old connections itself."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket. However it ends, leave nothing behind that sends to it, and no channel."""
        self.scope, self.base_send = scope, send
        self._direct_send = scope.get(DIRECT_SEND, send)
        self.channel_layer: Any = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        try:
            with suppress(StopConsumer):
                await self.channel_layer.serve(self.channel_name, receive, self.dispatch)
        finally:
            self._forget()
            await close_channel(self.channel_layer, self.channel_name)

    async def connect(self) -> None:
        """Accept the socket, unless its token is wrong or the gate refuses its owner."""
        address = client_address(self.scope)
        secret, subprotocol = tokens.secret_in_handshake(self.scope)
        try:
            self.access = await Access.of_handshake(self.scope, secret, address)
        except (tokens.TokenRefused, ChatError):
            return await self.close()  # the handshake is answered with 403
        self.message_limit, self.error_limit = message_limit(), error_limit()
        self.client = client = SocketClient(
            owner=self.access.owner,
            address=address,
            locale=Locale.of_scope(self.scope),
            send_text=self._send_text,
        )
        try:
            for group in self._groups:
                await self.channel_layer.group_add(group, self.channel_name)
            await self.accept(subprotocol)
            await self._greet(client)
        except BaseException:
            await self.disconnect(1011)
            raise

    async def _greet(self, client: SocketClient) -> None:
        open_sockets.OpenSockets.for_running_loop().add(self)
        pressures = PressureWatch.for_running_loop()
        pressures.add(client.send)
        hello = {
            "type": "hello",
            "owner": client.owner,
            "adopted": self.access.adopted,
            "demo": settings.DEMO_MODEL,
        }
        await client.send(hello | ({"stream": self._stream} if self._stream else {}))
        for event in pressures.current():
            await client.send(event)

    async def disconnect(self, code: int) -> None:
        """Stop everything that sends to this socket."""
        if self.client is None:
            return
        self._forget()
        try:
            for group in self._groups:
                await self.channel_layer.group_discard(group, self.channel_name)
        except Exception as exc:  # a layer that is just reconnecting raises many kinds of errors
            logger.warning("a closed socket stays in its group until that expires: %r", exc)

    def _forget(self) -> None:
        if self.client is not None:
            self.client.close()
            open_sockets.OpenSockets.for_running_loop().discard(self)
            PressureWatch.for_running_loop().discard(self.client.send)

    # --- from the client ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one frame. The socket survives every error, but not errors without end."""
        tracing.arrived()
        with log_ids(owner=self.client.owner if self.client else ""):
            await self._receive(text_data)

    async def _receive(self, text_data: str | None) -> None:
        request_id = message_type = ""
        try:
            message = self._parse(text_data)
            message_type = message.type
            request_id = getattr(message, "request_id", None) or ""
            add_log_ids(request=request_id)
            self._count(message_type)
            self.access.check(message)
            await self._handle(message)
        except Exception as exc:
            await self._refuse(error_event(exc, request_id=request_id, message_type=message_type))

    async def _handle(self, message: client_messages.ClientMessage) -> None:
        """Carry the message out."""
        await self.access.prepare(message)
        await handlers.handle(self._connected, message)
        await self.access.record_use(message)

    def _parse(self, text: str | None) -> client_messages.ClientMessage:
        try:
            return client_messages.parse(text)
        except client_messages.BadFrame as exc:
            self._count("invalid", exc.request_id)
            raise

    def _count(self, message_type: str, request_id: str = "") -> None:
        cost = message_cost(message_type)
        if not self.message_limit.take(cost):
            wait = round(self.message_limit.wait(cost), 1)
            raise client_messages.BadFrame(
                "too_many", texts.TOO_MANY_MESSAGES, retry_after=wait, request_id=request_id
            )

    async def _refuse(self, event: Event) -> None:
        await self._connected.send(event)
        if event["code"] in CLIENT_FAULTS and not self.error_limit.take():
            await self.close(CloseCode.ABUSE)

    # --- to the client ---

    async def queue_event(self, message: dict[str, Any]) -> None:
        """Pass on an event of the owner, from the engine or from another tab."""
        client, event = self._connected, message["event"]
        if "jobId" not in event or events.topic_of(event) == "thread":
            await client.send(event)
        elif not _was_answered(client, event):
            await client.follower.receive(event)

    async def client_frames(self, message: dict[str, Any]) -> None:
        """Handle frames that were posted to this stream, with its access key, perhaps to another process."""
        if message["session"] != self.access.stored_key:
            await self.access.learn_key()
        if message["session"] == self.access.stored_key:
            for frame in message["frames"]:
                await self.receive(frame)

    async def session_ended(self, message: dict[str, Any]) -> None:
        """Close the socket if its session has ended."""
        if message["session"] in (open_sockets.ALL_SESSIONS, self.access.stored_key):
            await self.close(CloseCode.SESSION_ENDED)

    @property
    def _stream(self) -> str:
        """The id of the event stream, if HTTP is the wire."""
        return str(self.scope.get("stream", ""))

    @property
    def _groups(self) -> list[str]:
        streams = [group_of_stream(self._stream)] if self._stream else []
        return [events.group_of(self._connected.owner), *streams]

    @property
    def session_key(self) -> str:
        """The access key, as `open_sockets` checks it."""
        return self.access.key

    @session_key.setter
    def session_key(self, key: str) -> None:
        self.access.key = key

    @property
    def owner(self) -> str:
        """The owner whose events it gets."""
        return self._connected.owner

    @property
    def address(self) -> str:
        """The `client_address` of the client."""
        return self._connected.address

    @property
    def is_overdue(self) -> bool:
        """True when the client has not read for too long."""
        return self._connected.window.is_overdue

    @property
    def _connected(self) -> SocketClient:
        assert self.client is not None
        return self.client

    async def _send_text(self, text: str) -> None:
        await self._direct_send({"type": "websocket.send", "text": text})


def group_of_stream(stream: str) -> str:
    """Return the channel-layer group of an event stream, to which the frames of its client are sent."""
    return f"stream.{stream}"


def _was_answered(client: SocketClient, event: Event) -> bool:
    """Return whether `event` is the `queued` that this socket has sent as the answer to its own message."""
    followed = client.follower.jobs.get(event["jobId"])
    return followed is not None and events.name_of(event) == events.name_of(followed.event) == "queued"
