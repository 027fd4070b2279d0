"""Add a question to a thread: the two messages and the job that writes the reply, in one transaction."""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Window
from django.utils import timezone

from chat.analytics.tracking.tracker import track
from chat.answer_cache.lookup import find_answer
from chat.answer_cache.store import Answer, count
from chat.branches.choice import branch_event, choose, lock
from chat.branches.tree import Tree
from chat.errors import ChatError, LimitReached
from chat.models import Message, Role, Thread
from chat.prompting.conversation_context import estimate_max_tokens
from chat.usage.budgets import budget_of, reserve
from queueing.api import Job, Submission, add_log_ids, events, new_id, submit, submit_completed
from queueing.api.database import insert

from . import selectors, texts
from .messages import AcceptedMessage, Question

logger = logging.getLogger(__name__)

#: Maximum unfinished messages of one thread.
MAX_WAITING = 20
#: Maximum messages of one thread. A request that changes many, such as deleting a thread, reads all of them.
MAX_MESSAGES = 5_000


def add_question(thread: Thread, question: Question) -> AcceptedMessage:
    """Add a question and an empty reply to the end of `thread`, and submit the job that fills the reply.

    With `instead_of` they are another version, in a branch of their own, which is chosen; of a reply, the
    question stays the same. The job runs when the unfinished jobs of the thread have finished, all of
    `depends_on` have completed, and the admission's delay is over. A stored answer to a `chat.reply`
    completes it at once. Must be called within a transaction, which is rolled back when the request id had
    been accepted before. Raise `LimitReached`, `ChatError` (`thread_full`), or what `submit` raises; then
    nothing was written.
    """
    is_new = thread._state.adding
    previous = [] if is_new else lock_unfinished_jobs(thread)
    last = _last_message(thread)
    stored = find_answer(thread, question.text) if _may_reuse(question, previous) else None
    job_id = new_id()
    ids = _write_messages(thread, question, job_id, last)
    submission = _submit(thread, question, job_id, ids, previous, stored)
    if not submission.created:
        transaction.set_rollback(True)
        return AcceptedMessage.of(submission)
    if stored:
        transaction.on_commit(partial(count, "hits"))
    job = submission.job
    add_log_ids(request=job.request_id, owner=job.owner, thread=thread.pk.hex, job=job.id.hex)
    logger.info("a question was accepted")
    if not is_new:
        # After submitting: a worker locks a job before its thread, and so must we.
        Thread.objects.filter(pk=thread.pk).update(updated_at=timezone.now())
    accepted = AcceptedMessage.of(submission)
    if question.instead_of:
        _choose(thread, UUID(accepted.reply_id))
    if not submission.job.is_finished:
        _reserve_budget(thread, question, submission.job)
    return accepted


def _choose(thread: Thread, reply_id: UUID) -> None:
    choose(thread.pk, reply_id)
    event = branch_event(thread.pk, reply_id, "asked")
    transaction.on_commit(partial(events.emit_sync, thread.owner, event))


def _last_message(thread: Thread) -> UUID | None:
    """Return the id of the last message of a thread, of all its branches. Raise `ChatError` if it is full."""
    if thread._state.adding:
        return None
    rows = thread.messages.order_by("-id").annotate(count=Window(Count("id"))).values_list("id", "count")
    last, count = rows.first() or (None, 0)
    if count >= MAX_MESSAGES:
        raise ChatError("thread_full", texts.thread_full(MAX_MESSAGES), field="threadId")
    return last


def _may_reuse(question: Question, previous: list[Job]) -> bool:
    must_wait = previous or question.depends_on or question.admission.delay
    return question.kind == "chat.reply" and question.reuse == "use" and not must_wait


def _write_messages(thread: Thread, question: Question, job_id: UUID, last: UUID | None) -> dict[str, str]:
    """Write the question, the empty reply, and a new thread. Return the ids for the job's meta."""
    message, reply = _new_messages(thread, question, job_id, last)
    if thread._state.adding:
        thread.created_at = thread.updated_at = reply.created_at
        insert([thread])
    insert([one for one in (message, reply) if one._state.adding])
    sent = partial(track, "message.sent", owner=thread.owner, companion=thread.companion, kind=question.kind)
    transaction.on_commit(sent)
    return {"threadId": thread.id.hex, "messageId": message.pk.hex, "replyId": reply.pk.hex}


def _new_messages(
    thread: Thread, question: Question, job_id: UUID, last: UUID | None
) -> tuple[Message, Message]:
    """Return the question and the empty reply, after `last`. Those of another version are not chosen yet."""
    fields = {"thread_id": thread.id, "job_id": job_id, "created_at": timezone.now()}
    if old := question.instead_of:
        parents = Tree.load(thread.pk).parents
        if old.pk not in parents:
            raise Message.DoesNotExist  # it was removed in the meantime
        parent_id, fields["is_chosen"] = parents[old.pk], False
        if old.role == Role.ASSISTANT:
            message = Message.objects.get(pk=parent_id)
            reply = Message(id=new_id(after=last), role=Role.ASSISTANT, parent_id=parent_id, **fields)
            return message, reply
        fields |= {"parent_id": parent_id}
    message = Message(
        id=new_id(after=last), role=Role.USER, content=question.text, attachment=question.attachment, **fields
    )
    fields |= {"parent_id": message.pk} if old else {}
    return message, Message(id=new_id(after=message.pk), role=Role.ASSISTANT, **fields)


def _submit(
    thread: Thread,
    question: Question,
    job_id: UUID,
    ids: dict[str, str],
    previous: list[Job],
    stored: Answer | None,
) -> Submission:
    """Submit the job: completed with a stored answer, or as usual."""
    args = {"reply_id": ids["replyId"]}
    meta = ids | question.admission.meta
    who: dict[str, Any] = {"owner": thread.owner, "request_id": question.request_id, "job_id": job_id}
    if stored:
        return submit_completed(question.kind, args, stored.result, meta=meta, **who)
    who["share"] = question.admission.share
    return submit(
        question.kind,
        args if question.reuse == "use" else args | {"answers": question.reuse},
        meta=meta,
        delay=question.admission.delay,
        depends_on=question.depends_on,
        after=previous,
        **who,
    )


def _reserve_budget(thread: Thread, question: Question, job: Job) -> None:
    """Reserve the answer's maximum in the owner's budget, so that no message waits in vain."""
    if not any(budget_of(thread.owner)):
        return
    if size := question.size:
        tokens, output_tokens = size.tokens, size.output_tokens
    else:
        tokens, output_tokens = estimate_max_tokens(thread, question.text)
    reserve(thread.owner, job.id, tokens, output_tokens=output_tokens)


def lock_unfinished_jobs(thread: Thread) -> list[Job]:
    """Return the unfinished jobs of a thread, to which no other transaction can add one meanwhile.

    Raise `LimitReached` (`owner_limit`) when there are too many.
    """
    lock(thread.pk)
    unfinished = selectors.unfinished_jobs(thread)
    if len(unfinished) >= MAX_WAITING:
        raise LimitReached("owner_limit", texts.too_many_waiting(len(unfinished)), 10.0)
    return unfinished
