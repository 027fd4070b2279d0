"""The job that writes a reply. Runs in `manage.py qcluster`."""

from asyncio import to_thread
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from chat.analytics.tracking.job_events import track_job_end
from chat.answer_cache import store
from chat.answer_cache.in_worker import recall, remember
from chat.answer_cache.keys import Reuse, cache_key
from chat.answer_cache.store import Answer
from chat.branches.choice import branch_event, go_back, lock
from chat.companions.registry import COMPANIONS, Companion
from chat.models import Message, Thread
from chat.prompting.conversation_context import load_context
from chat.prompting.prompt import Prompt, build_prompt
from chat.prompting.token_budget import PromptMessage
from chat.upstream import ModelReply, ReplyCallbacks, without_thoughts
from chat.usage import ledger
from queueing.api import Ending, JobContext, Permanent, State, add_log_ids, events, job

from . import summaries, texts, titles
from .model_calls import Payer, call_model, release_reservation
from .shared_calls import ask_once
from .thoughts import Thinking


def save_reply(ending: Ending) -> None:
    """Store the text in the message that waits for it, or as much of it as was said.

    In a deleted thread there is no such message.
    """
    completed = ending.state == State.COMPLETED
    text = ending.result.get("response", "") if completed else without_thoughts(ending.text)
    reply = Message.objects.filter(id=ending.args["reply_id"])
    reply.update(content=text, is_incomplete=bool(text) and not completed)
    if not (text or completed):
        transaction.on_commit(partial(_show_version_before, UUID(ending.args["reply_id"])), robust=True)
    Thread.objects.filter(messages__in=reply).update(updated_at=timezone.now())
    release_reservation(ending)
    if completed and not ending.result.get("cached"):  # a stored answer costs no call
        titles.submit_title(ending.args["reply_id"], ending.job_id)
    track_job_end(ending)


def _show_version_before(reply_id: UUID) -> None:
    """Choose the version before a reply that ended without a word.

    After the end is committed: a choice locks the thread before jobs, and the end of a job holds its job.
    """
    thread = Thread.objects.filter(messages=reply_id).first()
    if thread is None:
        return
    with transaction.atomic():
        lock(thread.pk)
        if leaf := go_back(thread.pk, reply_id):
            event = branch_event(thread.pk, leaf, "failed")
            transaction.on_commit(partial(events.emit_sync, thread.owner, event))


@job("chat.reply", queue="openai-chat", topic="chat", on_end=save_reply)
async def reply(ctx: JobContext, *, reply_id: str, answers: Reuse = "use") -> dict[str, Any]:
    """Answer the thread up to the question that the message `reply_id` replies to.

    A stored answer is used too, unless `answers` says otherwise.
    """
    ctx.asked_provider = False  # until there is a `Payer`
    asked = await sync_to_async(_prepare)(reply_id, ctx.owner, answers)
    thread, companion, prompt, key = asked.thread, asked.companion, asked.prompt, asked.key
    if stored := asked.stored:
        ctx.delta(stored.response)
        return stored.result

    def ask(to: ReplyCallbacks) -> Awaitable[ModelReply]:
        payer = Payer.of(ctx, thread_id=thread.id.hex, companion=companion.id)
        return call_model(
            prompt.as_request(), payer, on_text=to.on_text, on_thought=to.on_thought, pace=to.pace
        )

    async with Thinking(ctx) as thinking:
        job = ReplyCallbacks(on_text=thinking.on_text, on_thought=thinking.on_thought, pace=ctx.pace)
        answer, is_shared = await ask_once("" if answers == "renew" else key, ask, job)
    if is_shared:
        await to_thread(store.count, "shared")
        return Answer(answer.text, answer.model).result | {"truncated": answer.truncated}
    if not (answer.truncated or answer.by_fallback):  # the next visitor who asks may get a better one
        found = Answer(answer.text, answer.model)
        await remember(key, answers, found, ctx=ctx, thread=thread, reply_id=reply_id)
    if summaries.is_due(prompt.budget, asked.messages, answer.text):
        await sync_to_async(summaries.submit_summary)(thread.id, ctx.job_id)
    bill = await sync_to_async(ledger.total_of_job)(ctx.job_id)
    return {
        "response": answer.text,
        **bill.public(),
        "model": answer.model,
        "truncated": answer.truncated,
        "thoughtSeconds": thinking.result,
    }


class _Asked(NamedTuple):
    """What a reply needs before the model is called."""

    thread: Thread
    companion: Companion
    messages: Sequence[PromptMessage]
    """The conversation, of which `prompt` has as much as fits."""
    prompt: Prompt
    key: str
    """Of the answer cache; empty when it is not used."""
    stored: Answer | None


def _prepare(reply_id: str, owner: str, answers: Reuse) -> _Asked:
    """Read all that the reply needs. In one go: each trip to a thread delays its first word."""
    thread, companion = _thread_and_companion(reply_id)
    add_log_ids(thread=thread.pk.hex)
    context = load_context(reply_id, thread)
    prompt = build_prompt(companion, context)
    key = "" if answers == "never" else cache_key(companion, owner, prompt)
    return _Asked(thread, companion, context.messages, prompt, key, recall(key, answers))


def _thread_and_companion(reply_id: str) -> tuple[Thread, Companion]:
    try:
        message = Message.objects.select_related("thread").get(id=reply_id)
        return message.thread, COMPANIONS[message.thread.companion]
    except Message.DoesNotExist:
        raise Permanent(texts.THREAD_DELETED, code="thread_deleted") from None
    except KeyError:
        raise Permanent(texts.NO_COMPANION, code="no_companion") from None
