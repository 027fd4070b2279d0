"""What visitors ask, and the jobs that answer. Plain functions, each one transaction; they block.

`Thread.DoesNotExist` and `Job.DoesNotExist` also mean that it is somebody else's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat.analytics.tracker import track
from chat.answer_cache.keys import Reuse
from chat.answer_cache.lookup import UNKNOWN, look
from chat.companions.registry import companion_named
from chat.errors import InvalidInput, LimitReached
from chat.models import Message, Role, Thread
from chat.prompting.conversation_context import most_tokens
from chat.usage.budgets import budget_of, reserve
from queueing import api
from queueing.api import Job, State, new_id

from . import selectors
from .admission import AT_ONCE, Admission, Asker, admit
from .threads import thread_for

#: Characters of one message; the model's window is checked later, in tokens.
MAX_TEXT = 20_000
#: Unfinished messages of one thread.
MAX_WAITING = 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An accepted question: where it is, where its answer will be, and the job that writes it."""

    job: Job
    created: bool
    """False when this request id had been accepted before: nothing was written."""
    thread_id: str
    message_id: str
    reply_id: str


def ask(
    *,
    owner: str,
    companion: str,
    text: str,
    request_id: str,
    thread_id: UUID | None = None,
    address: str = "",
) -> Asked:
    """Save a question, the empty reply to it, and the job that answers; a new thread unless one is named.

    Raises `InvalidInput` (with the field), `Thread.DoesNotExist`, or `LimitReached` (by the limits, the
    queue or the budget); then nothing was written. `address` is the `client_address`, where it is known.
    """
    text = checked(text)
    profile = companion_named(companion)
    if known := asked_before(owner, request_id):
        return known
    asker = Asker(owner, address)
    with admit(asker=asker, kind="chat.reply", companion=profile.id, text=text) as admission:
        with transaction.atomic():
            thread = thread_for(owner, profile.id, text, thread_id)
            asked = say(thread, text, request_id, admission=admission)
        if not asked.created:
            admission.give_back()
        return asked


def asked_before(owner: str, request_id: str) -> Asked | None:
    """What this request id was accepted as. Repeating it costs nothing, so this comes before `admit`."""
    known = Job.objects.filter(owner=owner, request_id=request_id).first() if request_id else None
    return asked_of(known) if known else None


def say(
    thread: Thread,
    text: str,
    request_id: str,
    *,
    kind: str = "chat.reply",
    attachment: dict[str, Any] | None = None,
    depends_on: Sequence[Job] = (),
    admission: Admission = AT_ONCE,
    answers: Reuse = "use",
) -> Asked:
    """Add a question and its reply to the end of `thread`; its turn comes when those before are over.

    The job of `kind` is given the `reply_id` and fills that message, once all of `depends_on` have
    completed, and not before the `admission`'s delay is over. A stored answer to a `chat.reply` is given
    at once, unless `answers` says otherwise. Within a transaction.
    """
    question = Message(id=new_id(), thread=thread, role=Role.USER, content=text, attachment=attachment)
    reply = Message(id=new_id(), thread=thread, role=Role.ASSISTANT)
    before = [] if thread._state.adding else _in_order(thread)
    may_be_known = kind == "chat.reply" and not (before or depends_on or admission.delay)
    known = look(thread, text, answers) if may_be_known else UNKNOWN
    ids = {"threadId": thread.id.hex, "messageId": question.id.hex, "replyId": reply.id.hex}

    def write(job: Job) -> None:
        question.job_id = reply.job_id = job.id
        thread.updated_at = timezone.now()
        thread.save(update_fields=None if thread._state.adding else ["updated_at"])
        Message.objects.bulk_create([question, reply])
        sent = partial(track, "message.sent", owner=thread.owner, companion=thread.companion, kind=kind)
        transaction.on_commit(sent)

    submission = known.submit(
        kind,
        {"reply_id": reply.id.hex} | ({} if answers == "use" else {"answers": answers}),
        rows=write,
        owner=thread.owner,
        request_id=request_id,
        delay=admission.delay,
        meta=ids | admission.meta,
        depends_on=depends_on,
        after=before,
    )
    if submission.created and not submission.job.is_finished:
        _set_aside(thread, text, submission.job)
    return asked_of(submission.job, submission.created)


def _set_aside(thread: Thread, text: str, job: Job) -> None:
    """What the answer may take of the owner's budget, so that nobody is told to wait for what cannot be."""
    if any(budget_of(thread.owner)):
        tokens, answer = most_tokens(thread, text)
        reserve(thread.owner, job.id, tokens, output_tokens=answer)


def _in_order(thread: Thread) -> list[Job]:
    """The unfinished jobs of a thread, while nobody else adds one."""
    # Whoever adds to a thread locks its first message. Not the thread: a worker that ends a reply
    # writes that while it holds the job we are about to mark, and each would wait for the other.
    list(thread.messages.select_for_update()[:1])
    unfinished = selectors.unfinished_jobs(thread)
    if len(unfinished) >= MAX_WAITING:
        message = f"{len(unfinished)} messages wait in this conversation. Please wait for an answer."
        raise LimitReached("owner_limit", message, 10.0)
    return unfinished


def checked(text: str) -> str:
    if not text.strip():
        raise InvalidInput("message", "There is nothing in this message.")
    if "\x00" in text or re.search("[\ud800-\udfff]", text):
        raise InvalidInput("message", "A message cannot contain NUL or half characters.")
    if len(text) > MAX_TEXT:
        raise InvalidInput("message", f"This message has {len(text):,} characters; {MAX_TEXT:,} is the most.")
    return text


def asked_of(job: Job, created: bool = False) -> Asked:
    """The ids as the first submission chose them: a repeated one gets the same."""
    if "replyId" not in job.meta:
        raise InvalidInput("requestId", "This requestId was already used for another kind of job.")
    return Asked(
        job=job,
        created=created,
        thread_id=job.meta["threadId"],
        message_id=job.meta["messageId"],
        reply_id=job.meta["replyId"],
    )


def cancel(*, owner: str, job_id: UUID) -> Job:
    """Stop the owner's job; stopping it twice is once. Raises `WrongState` when it is over otherwise."""
    job = selectors.job(owner=owner, job_id=job_id)
    return job if job.state == State.CANCELLED else api.cancel(job.id)


def retry(*, owner: str, job_id: UUID, address: str = "") -> Job:
    """Run the owner's failed or cancelled job again, which counts as asking.

    Its turn comes when what runs or waits in its thread is over. Raises `WrongState` in any other state,
    or `LimitReached`.
    """
    job = selectors.job(owner=owner, job_id=job_id)
    thread = Thread.objects.filter(owner=owner, id=job.meta.get("threadId")).first()
    asker = Asker(owner, address)
    with admit(asker=asker, kind=job.kind, companion="", text="", most_wait=0), transaction.atomic():
        if job.kind == "chat.reply" and job.args.get("answers") != "never":  # asked, not found
            Job.objects.filter(id=job.id).update(args=job.args | {"answers": "renew"})
        return api.retry(job.id, after=_in_order(thread) if thread else ())
