"""The prompt of a long conversation is built from its end (S22)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.companions.registry import COMPANIONS
from chat.models import Message, Role
from chat.prompting.conversation_context import estimate_max_tokens, load_context
from chat.prompting.prompt import build_prompt
from queueing.api import new_id
from tests.chat.conversations.long_thread import long_thread, numbers

pytestmark = pytest.mark.django_db


def unanswered(messages: int, size: int):
    """Return a long thread that ends with a question, and the id of the reply to it."""
    thread = long_thread(messages, size=size)
    job_id = new_id()
    for role, text in ((Role.USER, f"Message {messages}"), (Role.ASSISTANT, "")):
        last = Message.objects.create(id=new_id(), thread=thread, role=role, content=text, job_id=job_id)
    return thread, last.id.hex


def test_context_of_a_long_thread_is_as_much_as_fits(settings):
    settings.OPENAI_CONTEXT_TOKENS = 8_000
    thread, reply_id = unanswered(600, size=300)
    with CaptureQueriesContext(connection) as queries:
        context = load_context(reply_id, thread)
    assert len(context.messages) < 100
    assert len(queries) <= 5
    said = numbers([message.content for message in context.messages])
    assert said == list(range(601 - len(said), 601))
    prompt = build_prompt(COMPANIONS[thread.companion], context)
    assert len(prompt.messages) < len(context.messages), "more was read than fits"


def test_context_of_a_short_thread_is_all_of_it(settings):
    settings.OPENAI_CONTEXT_TOKENS = 8_000
    thread, reply_id = unanswered(50, size=20)
    context = load_context(reply_id, thread)
    assert numbers([message.content for message in context.messages]) == list(range(51))


def test_estimate_measures_the_newest_messages_only(settings):
    settings.OPENAI_CONTEXT_TOKENS = 10**9
    few, many = (estimate_max_tokens(long_thread(count, size=30), "Hm?")[0] for count in (500, 2000))
    assert few == many
