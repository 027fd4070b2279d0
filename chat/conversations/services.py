"""Submit, cancel and retry questions and their jobs. Plain functions, each one transaction; they block.

`Thread.DoesNotExist` and `Job.DoesNotExist` also mean that the row belongs to another owner.
"""

from uuid import UUID

from django.db import transaction

from chat.companions.registry import companion_named
from chat.errors import REFUSALS, InvalidInput
from chat.models import Thread
from queueing import api
from queueing.api import Job, State

from . import selectors, texts, versions
from .admission import Sender, admit
from .blank import is_blank
from .characters import check_characters
from .messages import AcceptedMessage, NewMessage, Question, accepted_before
from .questions import add_question, lock_unfinished_jobs
from .searching import folded_texts
from .threads import check_companion, thread_for

#: Maximum characters of one message; the model's window is checked later, in tokens.
MAX_TEXT = 20_000


def submit_question(message: NewMessage) -> AcceptedMessage:
    """Store a question, the empty reply to it, and the job that answers; a new thread unless one is named.

    Raise `InvalidInput` (with the field), `Thread.DoesNotExist`, `LimitReached` (by the limits or the
    budget), or the engine's `Rejected`; then nothing was written.
    """
    text = check_text(message.text)
    companion = companion_named(message.companion)
    try:
        return _accept(message, companion.id, text)
    except REFUSALS:
        if earlier := accepted_before(message.owner, message.request_id):
            return earlier  # limits and what has changed since do not concern a repetition
        raise


def _accept(message: NewMessage, companion: str, text: str) -> AcceptedMessage:
    with admit(message.sender) as admission:
        with transaction.atomic():
            thread = thread_for(message.owner, companion, text, message.thread_id)
            question = Question(text=text, request_id=message.request_id, admission=admission)
            accepted = add_question(thread, question)
        if not accepted.created:
            admission.give_back()
        return accepted


def check_text(text: str) -> str:
    """Return `text`, or raise `InvalidInput` when it cannot be a message."""
    if len(text) > MAX_TEXT:  # first: the others look at each character
        raise InvalidInput("message", texts.message_too_long(len(text), MAX_TEXT))
    if is_blank(text):
        raise InvalidInput("message", texts.EMPTY_MESSAGE)
    return check_characters(text, "message")


def cancel(*, owner: str, job_id: UUID) -> Job:
    """Stop the owner's job; repeating it does nothing. Raise `WrongState` when it has ended otherwise."""
    job = selectors.job(owner=owner, job_id=job_id)
    return job if job.state == State.CANCELLED else api.cancel(job.id)


def retry(*, owner: str, job_id: UUID, address: str = "") -> Job:
    """Run the owner's failed or cancelled job again, which counts as a new message.

    It runs when the unfinished jobs of its thread have finished. Raise `WrongState` in any other state,
    `Conflict` when the companion was removed, or `LimitReached`.
    """
    job = selectors.job(owner=owner, job_id=job_id)
    thread = Thread.objects.filter(owner=owner, id=job.meta.get("threadId")).first()
    if thread:
        check_companion(thread)  # without it the retry fails, and what the job has said would be lost
    with admit(Sender(owner, address), max_wait=0), transaction.atomic():
        if job.kind == "chat.reply" and job.args.get("answers") != "never":  # ask the model, not the cache
            Job.objects.filter(id=job.id).update(args=job.args | {"answers": "renew"})
        if reply_id := job.meta.get("replyId"):  # its text will change
            folded_texts.forget(UUID(reply_id))
        job = api.retry(job.id, after=lock_unfinished_jobs(thread) if thread else ())
        if thread and reply_id:
            versions.choose_branch(thread, UUID(reply_id))
        return job
