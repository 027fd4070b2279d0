"""The handlers of client messages: one for each type. Each takes the client and its message, and answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from chat import intake
from chat.accounts.personal_data.erasing import erase_if_late
from chat.care.card import card_for
from chat.care.counters import count_card
from chat.conversations import selectors, serializers, services
from chat.conversations.edit import MessageEdit, edit_message, withdraw_message
from chat.conversations.messages import AcceptedMessage, NewMessage
from chat.conversations.versions import Regeneration, regenerate
from chat.documents import services as documents
from chat.protocol import client_messages
from chat.voice import services as voice
from queueing.api import Submission
from queueing.api.sockets import in_thread

from .client import SocketClient

T = TypeVar("T")


async def handle(client: SocketClient, message: client_messages.ClientMessage) -> None:
    """Carry out a client's message. Raise what `chat.errors.refusal_of` describes."""
    await _HANDLERS[type(message)](client, message)


async def _screen_and_count(client: SocketClient, text: str, request_id: str, companion: str = "") -> None:
    """Send and count a help card if `text` calls for one. First, as it depends on nothing that follows."""
    if level := await client.send_help_card(text, request_id):
        await in_thread(count_card)(companion, level)


async def _write(client: SocketClient, function: Callable[..., T], *args: Any, **fields: Any) -> T:
    """Return what `function` returns, which writes for the owner. If it was erased meanwhile, erase that.

    In one thread: also a client that leaves in between leaves nothing.
    """

    def write() -> T:
        try:
            return function(*args, **fields)
        finally:
            erase_if_late(client.owner)

    return await in_thread(write)()


async def _ask(client: SocketClient, message: client_messages.Ask) -> None:
    loop = asyncio.get_running_loop()
    new_message = NewMessage(
        owner=client.owner,
        companion=message.companion,
        text=client_messages.last_user_text(message.messages),
        request_id=message.request_id,
        thread_id=message.thread_id,
        address=client.address,
    )

    def screen_and_submit() -> AcceptedMessage:
        """Do all that blocks in one thread. It waits until a help card is sent, before anything else."""
        if card := card_for(new_message.text, client.locale):
            sending = client.send_card(card, message.request_id)
            asyncio.run_coroutine_threadsafe(sending, loop).result()
            count_card(message.companion, card["level"])
        return intake.submit_message(new_message)

    accepted = await _write(client, screen_and_submit)
    await _answer_queued(client, accepted.submission)


async def _process(client: SocketClient, message: client_messages.Process) -> None:
    submission = await _write(
        client,
        voice.transcribe_upload,
        owner=client.owner,
        upload_id=message.upload_id,
        request=voice.TranscriptionRequest.of(message, message.request_id),
        address=client.address,
    )
    await _answer_queued(client, submission)


async def _analyse(client: SocketClient, message: client_messages.Analyse) -> None:
    await _screen_and_count(client, message.question, message.request_id, message.companion)
    accepted = await _write(
        client,
        documents.analyse_message,
        message,
        owner=client.owner,
        request_id=message.request_id,
        address=client.address,
    )
    await _answer_queued(client, accepted.submission)


async def _edit(client: SocketClient, message: client_messages.Edit) -> None:
    await _screen_and_count(client, message.content, message.request_id or "")
    edit = MessageEdit(
        owner=client.owner,
        message_id=message.message_id,
        text=message.content,
        request_id=message.request_id or "",
        only_if_waiting=message.only_if_waiting,
        address=client.address,
    )
    result = await _write(client, edit_message, edit)
    if result.event:
        await client.send(result.event)
    if not result.in_place:
        await _answer_queued(client, result.accepted.submission)


async def _regenerate(client: SocketClient, message: client_messages.Regenerate) -> None:
    wish = Regeneration(
        owner=client.owner,
        reply_id=message.message_id,
        request_id=message.request_id or "",
        address=client.address,
    )
    accepted = await _write(client, regenerate, wish)
    await _answer_queued(client, accepted.submission)


async def _withdraw(client: SocketClient, message: client_messages.Withdraw) -> None:
    await client.send(await in_thread(withdraw_message)(owner=client.owner, message_id=message.message_id))


async def _watch(client: SocketClient, message: client_messages.Watch) -> None:
    job = await in_thread(selectors.job)(owner=client.owner, job_id=message.job_id)
    await client.follower.watch(job, run=message.run, offset=message.offset)


async def _render(client: SocketClient, message: client_messages.Render) -> None:
    client.live.request(message)


async def _cancel(client: SocketClient, message: client_messages.Cancel) -> None:
    await in_thread(services.cancel)(owner=client.owner, job_id=message.job_id)


async def _retry(client: SocketClient, message: client_messages.Retry) -> None:
    job = await _write(
        client, services.retry, owner=client.owner, job_id=message.job_id, address=client.address
    )
    await _answer_queued(client, Submission(job, created=True))


async def _ping(client: SocketClient, message: client_messages.Ping) -> None:
    await client.send({"type": "pong", "t": message.t})


async def _pong(client: SocketClient, message: client_messages.Pong) -> None:
    if client.window.acknowledge(message.t):
        await client.follower.refresh_all()


async def _answer_queued(client: SocketClient, submission: Submission) -> None:
    """Answer with `queued`. Sent from here, and not only by the engine: without Redis no event arrives."""
    queued = await serializers.queued_event(submission)
    if submission.created:
        await client.follower.receive(queued)
    else:
        await client.send(queued)
        await client.follower.watch(submission.job)


_HANDLERS: dict[type, Callable[[SocketClient, Any], Awaitable[None]]] = {
    client_messages.Ask: _ask,
    client_messages.Process: _process,
    client_messages.Analyse: _analyse,
    client_messages.Edit: _edit,
    client_messages.Regenerate: _regenerate,
    client_messages.Withdraw: _withdraw,
    client_messages.Watch: _watch,
    client_messages.Render: _render,
    client_messages.Cancel: _cancel,
    client_messages.Retry: _retry,
    client_messages.Ping: _ping,
    client_messages.Pong: _pong,
}
