"""What visitors do to conversations. Plain functions, each one transaction; they block.

`Thread.DoesNotExist` and `Job.DoesNotExist` also mean that it is somebody else's.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from queueing import control, events
from queueing.errors import BadSubmission, Rejected, WrongState
from queueing.ids import new_id
from queueing.models import Dependency, Job
from queueing.states import UNFINISHED, State

from . import selectors
from .admission import AT_ONCE, Admission, Asker, admit
from .analytics import track
from .answers.cache import forget_thread
from .answers.keys import Reuse
from .answers.reuse import UNKNOWN, look
from .companions import companion_named
from .memory import most_tokens
from .models import Message, Role, Thread
from .titles import renamed
from .uploads import storage
from .usage import reserve
from .usage.budgets import budget_of

#: Characters of one message; the model's window is checked later, in tokens.
MAX_TEXT = 20_000
TITLE_LENGTH = 60
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

    Raises `BadSubmission` (with the field), `Thread.DoesNotExist`, or `Rejected` (by the limits, the
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

    job, created = known.submit(
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
    if created and not job.is_finished:
        _set_aside(thread, text, job)
    return asked_of(job, created)


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
        raise Rejected("owner_limit", message, 10.0)
    return unfinished


def checked(text: str) -> str:
    if not text.strip():
        raise BadSubmission("message", "There is nothing in this message.")
    if "\x00" in text or re.search("[\ud800-\udfff]", text):
        raise BadSubmission("message", "A message cannot contain NUL or half characters.")
    if len(text) > MAX_TEXT:
        raise BadSubmission(
            "message", f"This message has {len(text):,} characters; {MAX_TEXT:,} is the most."
        )
    return text


def thread_for(owner: str, companion: str, text: str, thread_id: UUID | None) -> Thread:
    """The named thread, or an unsaved one that is called as `text` begins."""
    if thread_id is None:
        return Thread(owner=owner, companion=companion, title=title_from(text))
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    if thread.companion != companion:
        raise BadSubmission("companion", f"This thread is with the {thread.companion} companion.")
    return thread


def asked_of(job: Job, created: bool = False) -> Asked:
    """The ids as the first submission chose them: a repeated one gets the same."""
    if "replyId" not in job.meta:
        raise BadSubmission("requestId", "This requestId was already used for another kind of job.")
    return Asked(
        job=job,
        created=created,
        thread_id=job.meta["threadId"],
        message_id=job.meta["messageId"],
        reply_id=job.meta["replyId"],
    )


def title_from(text: str) -> str:
    """The first words of `text` on one line."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH].rpartition(" ")[0] or line[:TITLE_LENGTH]
    return cut + "…"


def rename_thread(*, owner: str, thread_id: UUID, title: str) -> Thread:
    """Give a thread another title; it keeps its place in the list."""
    title = " ".join(title.replace("\x00", "").split())
    most = Thread._meta.get_field("title").max_length
    if not 0 < len(title) <= most:
        raise BadSubmission("title", f"A title has 1 to {most} characters.")
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    thread.title, thread.title_is_own = title, True
    thread.save(update_fields=["title", "title_is_own"])
    events.tell(owner, renamed(thread, title))
    return thread


def delete_thread(*, owner: str, thread_id: UUID) -> None:
    """Delete a thread with its messages, stop what is being written, and forget its jobs' texts."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    job_ids = list(thread.messages.values_list("job_id", flat=True))
    for job in Job.objects.filter(id__in=job_ids, state__in=UNFINISHED):
        with suppress(WrongState):  # it ended in the meantime
            control.cancel(job.id)
    with transaction.atomic():
        forget_jobs([*job_ids, *thread.messages.values_list("job_id", flat=True)])
        thread.delete()
        transaction.on_commit(partial(forget_thread, thread_id.hex))


def forget_jobs(job_ids: Iterable[UUID]) -> None:
    """Remove what jobs of messages that go away have said, and the files they were to read.

    That of a recording's transcription, too: its reply's job depends on it.
    """
    ids = set(job_ids)
    ids |= set(Dependency.objects.filter(job__in=ids, however=False).values_list("parent_id", flat=True))
    Job.objects.filter(id__in=ids).update(result=None, text="")
    storage.discard_of_jobs(ids)


def cancel(*, owner: str, job_id: UUID) -> Job:
    """Stop the owner's job; stopping it twice is once. Raises `WrongState` when it is over otherwise."""
    job = selectors.job(owner=owner, job_id=job_id)
    return job if job.state == State.CANCELLED else control.cancel(job.id)


def retry(*, owner: str, job_id: UUID, address: str = "") -> Job:
    """Run the owner's failed or cancelled job again, which counts as asking.

    Its turn comes when what runs or waits in its thread is over. Raises `WrongState` in any other state,
    or `Rejected`.
    """
    job = selectors.job(owner=owner, job_id=job_id)
    thread = Thread.objects.filter(owner=owner, id=job.meta.get("threadId")).first()
    asker = Asker(owner, address)
    with admit(asker=asker, kind=job.kind, companion="", text="", most_wait=0), transaction.atomic():
        if job.kind == "chat.reply" and job.args.get("answers") != "never":  # asked, not found
            Job.objects.filter(id=job.id).update(args=job.args | {"answers": "renew"})
        return control.retry(job.id, after=_in_order(thread) if thread else ())
