"""The summary of a long thread: written in the background, before the model's window is full.

A reply never waits for it: until there is a summary, the oldest messages are left out of the prompt.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction

from chat.companions.registry import COMPANIONS
from chat.models import Message, Role, Thread
from chat.prompting.conversation_context import read_newest
from chat.prompting.persona import PromptBudget
from chat.prompting.token_budget import PromptMessage, message_cost
from chat.usage.budgets import share_of
from queueing.api import Job, JobContext, QueueingError, job, submit

from .model_calls import Payer, call_model, release_reservation
from .summary_text import SummaryInput, before_a_question, extract_summary, shorten

logger = logging.getLogger(__name__)

#: Parts of the room for the conversation: at the first a summary begins, the second is kept word for word.
BEGIN, KEEP = 0.7, 0.35
#: A summary takes at most the window divided by the first, and at most the second, in tokens.
WINDOW_DIVISOR, MAX_TOKENS = 8, 500
#: Messages that one summary reads.
MAX_MESSAGES = 200


def is_due(budget: PromptBudget, messages: Sequence[PromptMessage], answer: str) -> bool:
    """Return whether `messages`, all since the last summary, and the `answer` will soon not fit."""
    tokens = sum(message_cost(message.content) for message in messages) + message_cost(answer)
    return tokens > BEGIN * budget.conversation_tokens


def submit_summary(thread_id: UUID, reply_job: str) -> None:
    """Submit the job that summarises the thread after the job of its reply. Blocks."""
    after, request_id = [Job(id=UUID(reply_job))], f"after:{reply_job}"
    args = {"thread_id": thread_id.hex}
    try:
        submit("thread.summarise", args, share=share_of(reply_job), request_id=request_id, after=after)
    except QueueingError as exc:
        logger.info("thread %s is not summarised now: %s", thread_id.hex, exc)


@job("thread.summarise", queue="background", topic="thread", on_end=release_reservation)
async def summarise(ctx: JobContext, *, thread_id: str) -> None:
    """Extend the thread's summary to cover its older half."""
    ctx.asked_provider = False  # until there is a `Payer`
    thread = await Thread.objects.filter(id=thread_id).afirst()
    if thread is None or thread.companion not in COMPANIONS:
        return
    budget = PromptBudget.of(COMPANIONS[thread.companion])
    older = await sync_to_async(_older_half)(thread, budget)
    if not older:
        return
    max_tokens = min(MAX_TOKENS, budget.context_tokens // WINDOW_DIVISOR)
    if settings.DEMO_MODEL:  # the demo model would invent half of it
        covered, summary = (
            [message.id for message in older],
            extract_summary(thread.summary, older, max_tokens),
        )
    else:
        payer = Payer.of(ctx, thread_id=thread_id, companion=thread.companion, owner=thread.owner)
        covered, summary = await _summarise(payer, SummaryInput(thread.summary, budget, max_tokens), older)
    await sync_to_async(_store)(thread, covered, shorten(summary, max_tokens))


async def _summarise(payer: Payer, notes: SummaryInput, older: list[Message]) -> tuple[list[UUID], str]:
    """Return the ids of the messages that fitted into one request, and the model's summary of them."""
    covered = notes.take(older)
    reply = await call_model(notes.as_request(), payer)
    return covered, reply.text.strip()


def _older_half(thread: Thread, budget: PromptBudget) -> list[Message]:
    """Return the messages since the last summary, without the newest, among them at least the last answer.

    Of very many messages these are the oldest: the next summary goes on from there. Blocks.
    """
    rows = Message.objects.filter(thread=thread, is_chosen=True).exclude(content="")
    if thread.summarized_through:
        rows = rows.filter(id__gt=thread.summarized_through)
    answer = rows.filter(role=Role.ASSISTANT).order_by("-id").first()
    if answer is None:
        return []
    left = KEEP * budget.conversation_tokens
    first_kept = answer.id
    for message in read_newest(rows, left):
        if (left := left - message_cost(message.content)) < 0:
            break
        first_kept = min(first_kept, message.id)
    # The last one read is not summarised: it is the first that is kept, or one of too many.
    messages = list(rows.filter(id__lte=first_kept)[: MAX_MESSAGES + 1])
    return before_a_question(messages, len(messages) - 1)


@transaction.atomic
def _store(thread: Thread, covered: list[UUID], summary: str) -> None:
    """Store the summary, unless something it covers was removed or is not chosen, or another was first."""
    # Locked: a concurrent change either is seen here, or deletes the summary after us (`discard_summary`).
    there = Message.objects.select_for_update().filter(thread_id=thread.id, id__in=covered, is_chosen=True)
    if not covered or not summary or len(there.values_list("id", flat=True)) < len(covered):
        return
    unchanged = Thread.objects.filter(id=thread.id, summarized_through=thread.summarized_through)
    unchanged.update(summary=summary, summarized_through=covered[-1])
