"""Edit and withdraw questions. Plain functions; they block.

`Message.DoesNotExist` also means that the message belongs to another owner.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from chat.branches.choice import branch_event, lock
from chat.branches.tree import Tree
from chat.errors import Conflict, InvalidInput
from chat.models import Message
from queueing.api import UNFINISHED, Job, State, Submission, WrongState, cancel, events

from . import selectors, texts
from .admission import Admission, Sender, admit
from .messages import AcceptedMessage, Question, accepted_before
from .questions import add_question
from .searching import folded_texts
from .services import check_text
from .threads import check_companion, follow_first_question, remove_messages

_IN_LINE = (State.WAITING, State.DELAYED)


@dataclass(frozen=True, kw_only=True)
class MessageEdit:
    """A new text for a question, as a client sends it."""

    owner: str
    message_id: UUID
    text: str
    request_id: str = ""
    only_if_waiting: bool = False
    """Change nothing once the question was read."""
    address: str = ""
    """A `client_address`; empty when it is unknown."""


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """An edited question."""

    accepted: AcceptedMessage
    event: events.Event | None
    """An event for the owner's sockets, besides the job's own events."""
    in_place: bool = False
    """True when only the text changed, before a worker read it. False: the question was asked again."""


def edit_message(edit: MessageEdit) -> EditResult:
    """Give a question another text.

    While it waits, its text is replaced. After that, the new text is asked as another version: replies being
    written to the old one and after it are cancelled, and its branch is kept; or, with `only_if_waiting`,
    nothing is changed and `Conflict` raised. Raise as `submit_question` does.
    """
    text = check_text(edit.text)
    if earlier := accepted_before(edit.owner, edit.request_id):
        return EditResult(accepted=earlier, event=None)
    message = selectors.question(owner=edit.owner, message_id=edit.message_id)
    if not message.content:  # a recording: its text comes from the transcription
        raise Conflict(texts.NOT_TRANSCRIBED)
    if job := _job_of_same_text(message, edit) or _edit_in_place(message, text):
        event = _edited_event(message, text)
        events.emit_sync(edit.owner, event)
        accepted = AcceptedMessage.of(Submission(job, created=False))
        return EditResult(accepted=accepted, event=event, in_place=True)
    if message.attachment and message.attachment["kind"] == "document":  # its text is deleted by now
        raise InvalidInput("content", texts.DOCUMENT_GONE)
    if edit.only_if_waiting:
        raise Conflict(texts.cannot_edit(_job_state(message)))
    check_companion(message.thread)  # before anything is cancelled
    with admit(Sender(edit.owner, edit.address)) as admission:
        return _ask_again(message, edit, admission)


def _job_of_same_text(message: Message, edit: MessageEdit) -> Job | None:
    """Return the message's job, if this very text is being answered: the edit was sent twice.

    With `only_if_waiting` it may also have been answered by now.
    """
    if message.content != edit.text:
        return None
    job = Job.objects.filter(id=message.job_id).first()
    return job if job and (edit.only_if_waiting or job.state in UNFINISHED) else None


def _job_state(message: Message) -> str:
    """Return the state of the message's job; a pruned job counts as completed."""
    job = Job.objects.filter(id=message.job_id).first()
    return job.state if job else State.COMPLETED


def _edit_in_place(message: Message, text: str) -> Job | None:
    """Replace the text and return the message's job, if no worker has read the text, nor can meanwhile."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(id=message.job_id, state__in=_IN_LINE).first()
        if job:
            Message.objects.filter(id=message.id).update(content=text)
            folded_texts.forget(message.id)
            follow_first_question(message.thread, message.pk)
        return job


def _edited_event(message: Message, text: str) -> events.Event:
    return {
        "type": "thread:edited",
        "threadId": message.thread_id.hex,
        "messageId": message.id.hex,
        "jobId": message.job_id.hex,
        "content": text,
    }


def _ask_again(message: Message, edit: MessageEdit, admission: Admission) -> EditResult:
    tree = Tree.load(message.thread_id)
    old_branch = Message.objects.filter(id__in=[message.pk, *tree.descendants(message.pk)])
    jobs = Job.objects.filter(id__in=list(old_branch.values_list("job_id", flat=True)))
    _cancel_all(jobs.filter(state__in=UNFINISHED))
    with transaction.atomic():
        message = selectors.question(owner=message.thread.owner, message_id=message.id)
        question = Question(
            text=edit.text,
            request_id=edit.request_id,
            admission=admission,
            reuse="renew",
            instead_of=message,
        )
        accepted = add_question(message.thread, question)
        if accepted.created:
            follow_first_question(message.thread, message.pk)
    leaf = UUID(accepted.reply_id)
    return EditResult(accepted=accepted, event=branch_event(message.thread_id, leaf, "asked"))


def withdraw_message(*, owner: str, message_id: UUID) -> events.Event:
    """Withdraw a question that still waits: cancel its job, remove it and its reply.

    Return the event for the owner's sockets. Raise `Conflict` when a worker has started with it.
    """
    message = selectors.question(owner=owner, message_id=message_id)
    job = Job.objects.filter(id=message.job_id).first()
    # A recording without text can be withdrawn at any time: no reply is or will be written to it.
    if message.content and (job is None or job.state not in _IN_LINE):
        raise Conflict(texts.cannot_withdraw(_job_state(message)))
    if job:
        _cancel_all([job])
    with transaction.atomic():
        lock(message.thread_id)
        replies = Tree.load(message.thread_id).children(message.pk)
        removed = remove_messages(message.thread, Message.objects.filter(id__in=[message.pk, *replies]))
        follow_first_question(message.thread, message.pk)
        return removed


def _cancel_all(jobs: Iterable[Job]) -> None:
    for job in jobs:
        with suppress(WrongState):  # it ended in the meantime
            cancel(job.id)
