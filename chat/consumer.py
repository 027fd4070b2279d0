"""The socket of one browser tab. It translates: what a tab says is in `incoming`, what it is told in `wire`,
and what is done in `services`.

What the tab has been told of its jobs is in `queueing/following.py`, how much it may say and must read
in `flow`, and when it is closed in `sockets`.
"""

import asyncio
import json
import logging
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from queueing import events, status
from queueing.errors import Rejected
from queueing.following import Follower, in_thread
from queueing.models import Job
from queueing.pressures import Pressures
from queueing.reading import forget

from . import changes, flow, incoming, selectors, services, sockets, wire
from .accounts import tokens
from .addresses import client_address
from .care.card import Place, card_for
from .care.counting import count
from .documents import routing
from .documents import services as documents
from .visitors import owner_of
from .voice import services as voice

logger = logging.getLogger(__name__)

#: What a tab that has fallen behind can do without.
_PASSING = ("position", "progress", "pressure")


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
                await forget(self.channel_layer, self.channel_name)

    async def connect(self) -> None:
        self.address = client_address(self.scope)
        secret, subprotocol = tokens.in_handshake(self.scope)
        try:
            await self.identify(secret)
        except (tokens.TokenRefused, Rejected):
            return await self.close()  # the handshake is answered with 403
        self.whereabouts = Place.of_scope(self.scope)
        #: Jobs whose `queued` this socket has already answered itself.
        self.answered: set[str] = set()
        self.budget = flow.Bucket(flow.BURST, flow.RATE)
        self.strikes = flow.Bucket(flow.STRIKES, flow.FORGIVEN)
        self.window = flow.Window()
        self.following = self.follower = Follower(self.tell, lambda: self.window.shut)
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
            self.session_key = sockets.TOKEN + tokens.digest(secret)

    async def greet(self) -> None:
        sockets.Sockets.here().add(self)
        pressures = Pressures.here()
        pressures.add(self.tell)
        await self.tell({"type": "hello", "owner": self.owner, "demo": settings.DEMO_MODEL})
        for event in pressures.unusual():
            await self.tell(event)

    async def disconnect(self, code: int) -> None:
        if self.follower is None:
            return
        self.follower.close()
        sockets.Sockets.here().discard(self)
        Pressures.here().discard(self.tell)
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
            await self.answer(message)
        except Rejected as exc:
            await self.tell(wire.rejected_event(exc, request_id, kind))
        except Exception as exc:
            await self.refuse(incoming.as_wire_error(exc, request_id))

    def understand(self, text: str | None) -> incoming.ClientMessage:
        try:
            return incoming.parse(text)
        except incoming.WireError:
            self.charge("invalid")
            raise

    def charge(self, kind: str) -> None:
        cost = flow.COSTS.get(kind, 1.0)
        if not self.budget.take(cost):
            wait = round(self.budget.wait(cost), 1)
            raise incoming.WireError("too_many", "That was too fast. Please wait a moment.", retry_after=wait)

    async def refuse(self, error: incoming.WireError) -> None:
        await self.tell(error.event())
        if error.code in incoming.STRIKES and not self.strikes.take():
            await self.close(sockets.ABUSED)

    async def answer(self, message: incoming.ClientMessage) -> None:  # noqa: C901 (a table, not a maze)
        match message:
            case incoming.Ask():
                await self.ask(message)
            case incoming.Process():
                await self.process(message)
            case incoming.Analyse():
                await self.analyse(message)
            case incoming.Edit():
                await self.edit(message)
            case incoming.Withdraw():
                withdraw = in_thread(changes.withdraw)
                await self.tell(await withdraw(owner=self.owner, message_id=message.message_id))
            case incoming.Watch():
                job = await in_thread(selectors.job)(owner=self.owner, job_id=message.job_id)
                await self.following.watch(job, run=message.run, offset=message.offset)
            case incoming.Cancel():
                await in_thread(services.cancel)(owner=self.owner, job_id=message.job_id)
            case incoming.Retry():
                job = await in_thread(services.retry)(
                    owner=self.owner, job_id=message.job_id, address=self.address
                )
                await self.accepted(job)
            case incoming.Ping():
                await self.tell({"type": "pong", "t": message.t})
            case incoming.Pong():
                if self.window.read(message.t):
                    await self.following.refresh_all()

    async def care(self, text: str, request_id: str, companion: str = "") -> None:
        """Show help to who speaks of a crisis. First: it depends on nothing that follows."""
        if card := await asyncio.to_thread(card_for, text, self.whereabouts):
            await self.tell({"type": "care:help", "requestId": request_id, **card})
            await in_thread(count)(companion, card["level"])

    async def heard(self, event: dict[str, Any]) -> None:
        """What was spoken can be looked at only now that it is words. (Whoever wrote them down counts it.)"""
        if card := await asyncio.to_thread(card_for, event["response"], self.whereabouts):
            await self.tell({"type": "care:help", "requestId": event["requestId"], **card})

    async def ask(self, message: incoming.Ask) -> None:
        await self.care(incoming.last_user_text(message.messages), message.request_id, message.companion)
        asked = await in_thread(routing.ask)(
            owner=self.owner,
            companion=message.companion,
            text=incoming.last_user_text(message.messages),
            request_id=message.request_id,
            thread_id=message.thread_id,
            address=self.address,
        )
        await self.accepted(asked.job, asked.created)

    async def process(self, message: incoming.Process) -> None:
        heard = await in_thread(voice.process)(
            owner=self.owner,
            upload_id=message.upload_id,
            recording=voice.Recording.of(message, message.request_id),
            address=self.address,
        )
        await self.accepted(heard.job, heard.created)

    async def analyse(self, message: incoming.Analyse) -> None:
        await self.care(message.question, message.request_id, message.companion)
        asked = await in_thread(documents.analyse_message)(
            message, owner=self.owner, request_id=message.request_id, address=self.address
        )
        await self.accepted(asked.job, asked.created)

    async def edit(self, message: incoming.Edit) -> None:
        await self.care(message.content, message.request_id or "")
        changed = await in_thread(changes.edit)(
            owner=self.owner,
            message_id=message.message_id,
            text=message.content,
            request_id=message.request_id or "",
            only_if_waiting=message.only_if_waiting,
            address=self.address,
        )
        if changed.told:
            await self.tell(changed.told)
        if not changed.in_place:
            await self.accepted(changed.asked.job, changed.asked.created)

    async def accepted(self, job: Job, created: bool = True) -> None:
        """Answer with `queued`. It is told from here too: with Redis away no event would come."""
        queued = wire.queued_event(job, await status.place(job))
        if created:
            self.answered.add(job.id.hex)
            await self.following.hear(queued)
        else:
            await self.tell(queued)
            await self.following.watch(job)

    # --- what the tab is told ---

    async def queue_event(self, message: dict[str, Any]) -> None:
        """An event for the owner, from the engine or another tab."""
        event = message["event"]
        if "jobId" not in event or events.topic_of(event) == "thread":
            await self.tell(event)
        elif events.name_of(event) == "queued" and event["jobId"] in self.answered:
            self.answered.discard(event["jobId"])  # a later one is a retry's, and news
        else:
            await self.following.hear(event)

    async def session_ended(self, message: dict[str, Any]) -> None:
        if message["session"] in (sockets.EVERY, sockets.digest(self.session_key)):
            await self.close(sockets.SESSION_ENDED)

    @property
    def overdue(self) -> bool:
        return self.window.overdue

    async def tell(self, event: dict[str, Any]) -> None:
        """Send one event. Long answers take milliseconds to render, so that happens in a thread."""
        if self.window.shut and events.name_of(event) in _PASSING:
            return
        if event["type"].endswith(":completed"):
            event = await asyncio.to_thread(wire.decorate, event)
        text = json.dumps(event, ensure_ascii=False)
        await self.send(text_data=text)
        if event["type"] == "audio:completed" and "messageId" in event:
            await self.heard(event)
        if number := self.window.sent(len(text)):
            await self.send(text_data=json.dumps({"type": "ping", "t": number}))
