"""The socket of one browser tab. It translates: what is said is in `wire`, what is done in `services`."""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from queueing import events, status
from queueing.errors import BadSubmission, Rejected, WrongState
from queueing.positions import positions

from . import selectors, services, wire
from .visitors import owner_of

logger = logging.getLogger(__name__)

#: Database work in a thread of its own. Channels' default puts every socket's on one single thread.
in_thread = partial(database_sync_to_async, thread_sensitive=False)


class ChatConsumer(AsyncWebsocketConsumer):
    """`/ws/`: one owner's events, and what the owner asks for."""

    owner = ""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels', without its trip to a thread per message: `in_thread` tidies connections itself."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.owner = await in_thread(owner_of)(self.scope["user"], self.scope["session"])
        #: Jobs whose `queued` this socket has already answered itself.
        self.answered: set[str] = set()
        #: Jobs whose position this socket is told -> what ends that.
        self.waiting: dict[str, Callable[[], None]] = {}
        await self.channel_layer.group_add(events.group_of(self.owner), self.channel_name)
        await self.accept()
        await self.tell({"type": "hello", "owner": self.owner, "demo": settings.DEMO_MODEL})

    async def disconnect(self, code: int) -> None:
        for stop in self.waiting.values():
            stop()
        if self.owner:
            await self.channel_layer.group_discard(events.group_of(self.owner), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer one frame. Whatever is wrong with it, the socket lives on."""
        request_id = ""
        try:
            if text_data is None:
                raise wire.WireError("binary", "Messages are JSON text.")
            message = wire.parse(text_data)
            request_id = getattr(message, "request_id", "")
            await self.answer(message)
        except Rejected as exc:
            await self.tell(wire.rejected_event(exc, request_id))
        except Exception as exc:
            await self.tell(_as_wire_error(exc, request_id).event())

    async def answer(self, message: wire.ClientMessage) -> None:
        match message:
            case wire.Ask():
                await self.ask(message)
            case wire.Watch():
                await self.watch(message)
            case wire.Cancel():
                await in_thread(services.cancel)(owner=self.owner, job_id=message.job_id)
            case wire.Retry():
                await in_thread(services.retry)(owner=self.owner, job_id=message.job_id)
            case wire.Ping():
                await self.tell({"type": "pong", "t": message.t})

    async def ask(self, message: wire.Ask) -> None:
        """Accept a question. `queued` is told from here too: with Redis away no event would come."""
        asked = await in_thread(services.ask)(
            owner=self.owner,
            companion=message.companion,
            text=wire.last_user_text(message.messages),
            request_id=message.request_id,
            thread_id=message.thread_id,
        )
        queued = wire.queued_event(asked.job, await status.place(asked.job))
        await self.tell(queued)
        self.follow_position(queued)
        if asked.created:
            self.answered.add(asked.job.id.hex)
        else:
            await self.catch_up(asked.job)

    async def watch(self, message: wire.Watch) -> None:
        job = await in_thread(selectors.job)(owner=self.owner, job_id=message.job_id)
        await self.catch_up(job, attempt=message.attempt, offset=message.offset)

    async def catch_up(self, job: Any, *, attempt: int | None = None, offset: int = 0) -> None:
        for event in await events.catch_up(job, attempt=attempt, offset=offset):
            await self.tell(event)
            self.follow_position(event)

    async def queue_event(self, message: dict[str, Any]) -> None:
        """An event of one of the owner's jobs, from the engine."""
        event = message["event"]
        self.follow_position(event)
        if event["type"] == "chat:queued" and event["jobId"] in self.answered:
            self.answered.discard(event["jobId"])  # a later one is a retry's, and news
            return
        await self.tell(event)

    def follow_position(self, event: dict[str, Any]) -> None:
        """While a job is in line its position is pushed; the event says whether it is."""
        if stop := self.waiting.pop(event["jobId"], None):
            stop()
        if event["type"].partition(":")[2] in ("queued", "position", "retrying"):
            self.waiting[event["jobId"]] = positions().watch(event, self.tell)

    async def tell(self, event: dict[str, Any]) -> None:
        """Send one event. Long answers take milliseconds to render, so that happens in a thread."""
        if event["type"].endswith(":completed"):
            event = await asyncio.to_thread(wire.decorate, event)
        await self.send(text_data=json.dumps(event, ensure_ascii=False))


def _as_wire_error(exc: Exception, request_id: str) -> wire.WireError:
    if isinstance(exc, wire.WireError):
        exc.request_id = exc.request_id or request_id
        return exc
    if isinstance(exc, BadSubmission):
        return wire.WireError("invalid", exc.message, field=exc.field, request_id=request_id)
    if isinstance(exc, ObjectDoesNotExist):
        return wire.WireError("not_found", "There is no such thread or job.", request_id=request_id)
    if isinstance(exc, WrongState):
        return wire.WireError("wrong_state", f"{str(exc).capitalize()}.", request_id=request_id)
    logger.exception("a client message could not be answered", exc_info=exc)
    return wire.WireError(
        "server_error", "Something went wrong here. Please try again.", request_id=request_id
    )
