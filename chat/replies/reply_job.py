"""The work behind a reply. Runs in `manage.py qcluster`."""

from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

from chat.analytics.job_events import track_job_end
from chat.answer_cache.in_worker import recall, remember
from chat.answer_cache.keys import Reuse, key_of
from chat.answer_cache.store import Answer
from chat.care.model_guidance import guidance
from chat.companions.registry import COMPANIONS, Companion
from chat.models import Message, Thread
from chat.prompting.conversation_context import before
from chat.prompting.persona import Voice
from chat.prompting.token_budget import fit
from chat.usage import ledger
from chat.usage.budgets import settle
from queueing.api import Ending, JobContext, Permanent, State, job

from . import summaries, titles
from .model_calls import Payer, call


def save_reply(ending: Ending) -> None:
    """Put what was said into the reply that waits for it. A deleted thread's is nowhere to be put."""
    said = {State.COMPLETED: (ending.result or {}).get("response", ""), State.CANCELLED: ending.text}
    reply = Message.objects.filter(id=ending.args["reply_id"])
    reply.update(content=said.get(ending.state, ""))
    Thread.objects.filter(messages__in=reply).update(updated_at=timezone.now())
    settle(ending.job_id)
    if ending.state == State.COMPLETED and not ending.result.get("cached"):  # which is to cost nothing
        titles.ask_for(ending.args["reply_id"])
    track_job_end(ending)


@job("chat.reply", queue="openai-chat", topic="chat", on_end=save_reply)
async def reply(ctx: JobContext, *, reply_id: str, answers: Reuse = "use") -> dict[str, Any]:
    """Answer the thread up to the question that the message `reply_id` replies to.

    A stored answer serves as well, unless `answers` says otherwise.
    """
    thread, companion = await _who_answers(reply_id)
    voice = Voice.of(companion)
    memory = await before(reply_id, thread)
    turns = memory.turns
    care = guidance(turn.content for turn in turns if turn.role == "user")
    voice = replace(voice, instructions=voice.instructions + care + memory.told)
    turns = fit(
        voice.instructions,
        turns,
        context_tokens=voice.context_tokens,
        max_output_tokens=voice.max_output_tokens,
    )
    key = "" if care or answers == "never" else key_of(companion, ctx.owner, voice, turns)
    if stored := await recall(ctx.job_id, key, answers):
        ctx.delta(stored.response)
        return stored.result
    answer = await call(
        Payer.of(ctx, thread_id=thread.id.hex, companion=companion.id),
        instructions=voice.instructions,
        turns=turns,
        max_output_tokens=voice.max_output_tokens,
        on_text=ctx.delta,
        pace=ctx.pace,
    )
    if not (answer.truncated or answer.by_fallback):  # who asks next may be told better
        await remember(key, answers, Answer(answer.text, answer.model), thread=thread, reply_id=reply_id)
    if summaries.is_due(voice, memory.turns, answer.text):
        await sync_to_async(summaries.ask_for)(thread.id, ctx.job_id)
    bill = await sync_to_async(ledger.total_of_job)(ctx.job_id)
    return {"response": answer.text, **bill.public(), "model": answer.model, "truncated": answer.truncated}


async def _who_answers(reply_id: str) -> tuple[Thread, Companion]:
    try:
        message = await Message.objects.select_related("thread").aget(id=reply_id)
        return message.thread, COMPANIONS[message.thread.companion]
    except Message.DoesNotExist:
        raise Permanent("This conversation was deleted.", code="thread_deleted") from None
    except KeyError:
        raise Permanent("This companion is no longer here.", code="no_companion") from None
