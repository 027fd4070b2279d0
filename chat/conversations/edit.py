"""Second thoughts: a question that is edited, asked anew, or taken back. Plain functions; they block.

`Message.DoesNotExist` also means that it is somebody else's.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from chat.errors import Conflict, InvalidInput
from chat.models import Message
from chat.replies import summaries
from queueing.api import UNFINISHED, Job, State, WrongState, cancel, events

from . import selectors, texts
from .admission import Admission, Asker, admit
from .services import Asked, asked_before, asked_of, checked, say
from .threads import forget_jobs

_IN_LINE = (State.WAITING, State.DELAYED)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """An edited question."""

    asked: Asked
    told: events.Event | None
    """What the owner's sockets are told of it besides the job's own events."""
    in_place: bool = False
    """True when it had not been read yet: only its text is another. False: it was asked anew."""


def edit(
    *,
    owner: str,
    message_id: UUID,
    text: str,
    request_id: str = "",
    only_if_waiting: bool = False,
    address: str = "",
) -> Changed:
    """Give a question another text.

    While it waits, its text is replaced. After that, it and everything said after it are removed, what
    is being written there is stopped, and the new text is asked in its place; or, with `only_if_waiting`,
    nothing is done and `Conflict` raised. Raises as `ask` does.
    """
    text = checked(text)
    if known := asked_before(owner, request_id):
        return Changed(asked=known, told=None)
    message = selectors.question(owner=owner, message_id=message_id)
    if not message.content:  # a recording: what it says is not for us to write
        raise Conflict(texts.NOT_TRANSCRIBED)
    if job := _unchanged(message, text, only_if_waiting) or _edit_in_place(message, text):
        edited = _edited(message, text)
        events.emit_sync(owner, edited)
        return Changed(asked=asked_of(job), told=edited, in_place=True)
    if message.attachment and message.attachment["kind"] == "document":  # its text is gone by now
        raise InvalidInput("content", "To ask something else about a document, please attach it again.")
    if only_if_waiting:
        raise Conflict(texts.cannot_edit(_state_of(message)))
    asker, companion = Asker(owner, address), message.thread.companion
    with admit(asker=asker, kind="chat.reply", companion=companion, text=text) as admission:
        return _ask_anew(message, text, request_id, admission)


def _unchanged(message: Message, text: str, only_if_waiting: bool) -> Job | None:
    """The message's job, if this very text is being answered: the edit was sent twice.

    Where nothing was to be asked anew, it may also have been answered by now.
    """
    if message.content != text:
        return None
    job = Job.objects.filter(id=message.job_id).first()
    return job if job and (only_if_waiting or job.state in UNFINISHED) else None


def _state_of(message: Message) -> str:
    """Its job's; a forgotten job was completed, as far as anyone need know."""
    job = Job.objects.filter(id=message.job_id).first()
    return job.state if job else State.COMPLETED


def _edit_in_place(message: Message, text: str) -> Job | None:
    """The message's job, if no worker has read the text, nor can while we write it."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(id=message.job_id, state__in=_IN_LINE).first()
        if job:
            Message.objects.filter(id=message.id).update(content=text)
        return job


def _edited(message: Message, text: str) -> events.Event:
    return {
        "type": "thread:edited",
        "threadId": message.thread_id.hex,
        "messageId": message.id.hex,
        "jobId": message.job_id.hex,
        "content": text,
    }


def _ask_anew(message: Message, text: str, request_id: str, admission: Admission) -> Changed:
    later = Message.objects.filter(thread=message.thread, id__gte=message.id)
    jobs = Job.objects.filter(id__in=list(later.values_list("job_id", flat=True)))
    _stop(jobs.filter(state__in=UNFINISHED))
    with transaction.atomic():
        message = selectors.question(owner=message.thread.owner, message_id=message.id)
        removed = _remove(message, list(later))
        asked = say(message.thread, text, request_id, admission=admission, answers="renew")
        return Changed(asked=asked, told=removed)


def withdraw(*, owner: str, message_id: UUID) -> events.Event:
    """Take back a question that still waits: its job is cancelled, it and its reply are removed.

    What the owner's sockets are told of it. Raises `Conflict` when its turn has come already.
    """
    message = selectors.question(owner=owner, message_id=message_id)
    job = Job.objects.filter(id=message.job_id).first()
    # A recording without words can go at any time: nobody has answered it, nor will.
    if message.content and (job is None or job.state not in _IN_LINE):
        raise Conflict(texts.cannot_withdraw(_state_of(message)))
    both = list(Message.objects.filter(thread=message.thread, id__gte=message.id)[:2])
    if job:
        _stop([job])
    with transaction.atomic():
        return _remove(message, both)


def _stop(jobs: Iterable[Job]) -> None:
    for job in jobs:
        with suppress(WrongState):  # it ended in the meantime
            cancel(job.id)


def _remove(first: Message, messages: list[Message]) -> events.Event:
    """Delete messages of one thread, and what their jobs know of them. Within a transaction."""
    Message.objects.filter(id__in=[message.id for message in messages]).delete()
    summaries.forget(first.thread_id, [message.id for message in messages])
    forget_jobs(message.job_id for message in messages)
    removed = {
        "type": "thread:removed",
        "threadId": first.thread_id.hex,
        "messageIds": [message.id.hex for message in messages],
    }
    owner = first.thread.owner
    transaction.on_commit(lambda: events.emit_sync(owner, removed))
    return removed
