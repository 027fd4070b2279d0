"""Other versions of answers, and the choice of a branch. Plain functions; they block.

`Message.DoesNotExist` and `Thread.DoesNotExist` also mean that the row belongs to another owner.
"""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import transaction

from chat.branches.choice import branch_event, choose, lock
from chat.branches.tree import Tree
from chat.errors import Conflict
from chat.models import Message, Thread
from queueing.api import UNFINISHED, Job, events

from . import selectors, texts
from .admission import Sender, admit
from .messages import AcceptedMessage, Question, accepted_before
from .questions import add_question
from .threads import check_companion, follow_first_question


@dataclass(frozen=True, kw_only=True)
class Regeneration:
    """A wish for another version of an answer, as a client sends it."""

    owner: str
    reply_id: UUID
    request_id: str = ""
    address: str = ""
    """A `client_address`; empty when it is unknown."""


def regenerate(wish: Regeneration) -> AcceptedMessage:
    """Ask the question of a finished answer again. The new answer is another version of it, and chosen.

    Raise `Conflict` while the answer is being written or when it cannot be asked again, `LimitReached`, or
    what `submit` raises; then nothing was written.
    """
    if earlier := accepted_before(wish.owner, wish.request_id):
        return earlier
    reply = selectors.reply(owner=wish.owner, message_id=wish.reply_id)
    question = _question_of(reply)
    check_companion(reply.thread)
    with admit(Sender(wish.owner, wish.address)) as admission:
        asked = Question(
            text=question.content,
            request_id=wish.request_id,
            admission=admission,
            reuse="renew",
            instead_of=reply,
        )
        with transaction.atomic():
            accepted = add_question(reply.thread, asked)
        if not accepted.created:
            admission.give_back()
        return accepted


def _question_of(reply: Message) -> Message:
    """Return the question of a reply, if it can be asked again. Otherwise raise `Conflict`."""
    if Job.objects.filter(id=reply.job_id, state__in=UNFINISHED).exists():
        raise Conflict(texts.NOT_FINISHED)
    question = Message.objects.filter(id=Tree.load(reply.thread_id).parents.get(reply.pk)).first()
    if question is None or not question.content:
        raise Conflict(texts.NOT_TRANSCRIBED)
    if question.attachment and question.attachment["kind"] == "document":  # its text is deleted by now
        raise Conflict(texts.DOCUMENT_GONE)
    return question


def choose_version(*, owner: str, thread_id: UUID, message_id: UUID) -> UUID:
    """Choose the branch of a message: the newest, unless it is on the chosen one. Return the branch's end."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    with transaction.atomic():
        lock(thread.pk)
        return choose_branch(thread, message_id)


def choose_branch(thread: Thread, message_id: UUID) -> UUID:
    """Do so in a thread that is locked. In a transaction."""
    tree = Tree.load(thread.pk)
    if message_id not in tree.parents:
        raise Message.DoesNotExist
    if message_id in tree.chosen:
        return tree.chosen[-1]
    choose(thread.pk, leaf := tree.newest_leaf(message_id))
    if (first := tree.path_to(leaf)[0]) != tree.chosen[0]:
        follow_first_question(thread, first)
    event = branch_event(thread.pk, leaf, "chosen")
    transaction.on_commit(partial(events.emit_sync, thread.owner, event))
    return leaf
