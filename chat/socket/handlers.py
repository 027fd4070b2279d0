"""What a tab asks for over its socket, done. Each takes the tab and the message, and tells the tab."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from chat import intake
from chat.care.card import card_for
from chat.care.counters import count_card
from chat.conversations import edit, selectors, serializers, services
from chat.documents import services as documents
from chat.protocol import client_messages
from chat.voice import services as voice
from queueing.api import Job, events
from queueing.api.sockets import in_thread

if TYPE_CHECKING:
    from .consumer import ChatConsumer as Tab


async def answer(tab: "Tab", message: client_messages.ClientMessage) -> None:
    """Do what is asked. Raises what `chat.errors.refusal_of` knows."""
    await _DOERS[type(message)](tab, message)


async def heard(tab: "Tab", event: dict[str, Any]) -> None:
    """What was spoken can be looked at only now that it is words. (Whoever wrote them down counts it.)"""
    await _care(tab, event["response"], event["requestId"])


async def _care(tab: "Tab", text: str, request_id: str) -> str:
    """Show help to who speaks of a crisis; the level, or nothing."""
    card = await asyncio.to_thread(card_for, text, tab.whereabouts)
    if not card:
        return ""
    await tab.tell({"type": "care:help", "requestId": request_id, **card})
    return str(card["level"])


async def _care_and_count(tab: "Tab", text: str, request_id: str, companion: str = "") -> None:
    """To be done first: it depends on nothing that follows."""
    if level := await _care(tab, text, request_id):
        await in_thread(count_card)(companion, level)


async def _ask(tab: "Tab", message: client_messages.Ask) -> None:
    text = client_messages.last_user_text(message.messages)
    await _care_and_count(tab, text, message.request_id, message.companion)
    asked = await in_thread(intake.ask)(
        owner=tab.owner,
        companion=message.companion,
        text=text,
        request_id=message.request_id,
        thread_id=message.thread_id,
        address=tab.address,
    )
    await _accepted(tab, asked.job, asked.created)


async def _process(tab: "Tab", message: client_messages.Process) -> None:
    taken = await in_thread(voice.transcribe_upload)(
        owner=tab.owner,
        upload_id=message.upload_id,
        request=voice.TranscriptionRequest.of(message, message.request_id),
        address=tab.address,
    )
    await _accepted(tab, taken.job, taken.created)


async def _analyse(tab: "Tab", message: client_messages.Analyse) -> None:
    await _care_and_count(tab, message.question, message.request_id, message.companion)
    asked = await in_thread(documents.analyse_message)(
        message, owner=tab.owner, request_id=message.request_id, address=tab.address
    )
    await _accepted(tab, asked.job, asked.created)


async def _edit(tab: "Tab", message: client_messages.Edit) -> None:
    await _care_and_count(tab, message.content, message.request_id or "")
    changed = await in_thread(edit.edit)(
        owner=tab.owner,
        message_id=message.message_id,
        text=message.content,
        request_id=message.request_id or "",
        only_if_waiting=message.only_if_waiting,
        address=tab.address,
    )
    if changed.told:
        await tab.tell(changed.told)
    if not changed.in_place:
        await _accepted(tab, changed.asked.job, changed.asked.created)


async def _withdraw(tab: "Tab", message: client_messages.Withdraw) -> None:
    withdraw = in_thread(edit.withdraw)
    await tab.tell(await withdraw(owner=tab.owner, message_id=message.message_id))


async def _watch(tab: "Tab", message: client_messages.Watch) -> None:
    job = await in_thread(selectors.job)(owner=tab.owner, job_id=message.job_id)
    await tab.following.watch(job, run=message.run, offset=message.offset)


async def _render(tab: "Tab", message: client_messages.Render) -> None:
    tab.live.ask(message)


async def _cancel(tab: "Tab", message: client_messages.Cancel) -> None:
    await in_thread(services.cancel)(owner=tab.owner, job_id=message.job_id)


async def _retry(tab: "Tab", message: client_messages.Retry) -> None:
    retry = in_thread(services.retry)
    await _accepted(tab, await retry(owner=tab.owner, job_id=message.job_id, address=tab.address))


async def _ping(tab: "Tab", message: client_messages.Ping) -> None:
    await tab.tell({"type": "pong", "t": message.t})


async def _pong(tab: "Tab", message: client_messages.Pong) -> None:
    if tab.window.acknowledge(message.t):
        await tab.following.refresh_all()


async def _accepted(tab: "Tab", job: Job, created: bool = True) -> None:
    """Answer with `queued`. It is told from here too: with Redis away no event would come."""
    queued = serializers.queued_event(job, await events.standing_of(job))
    if created:
        tab.answered.add(job.id.hex)
        await tab.following.receive(queued)
    else:
        await tab.tell(queued)
        await tab.following.watch(job)


_DOERS: dict[type, Callable[["Tab", Any], Awaitable[None]]] = {
    client_messages.Ask: _ask,
    client_messages.Process: _process,
    client_messages.Analyse: _analyse,
    client_messages.Edit: _edit,
    client_messages.Withdraw: _withdraw,
    client_messages.Watch: _watch,
    client_messages.Render: _render,
    client_messages.Cancel: _cancel,
    client_messages.Retry: _retry,
    client_messages.Ping: _ping,
    client_messages.Pong: _pong,
}
