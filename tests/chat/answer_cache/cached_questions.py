"""Questions that may have a stored answer."""

import itertools
from uuid import UUID

from chat.answer_cache import lookup, store
from chat.models import Message, Thread
from queueing.api import Job
from tests.chat.active_run import active_run
from tests.chat.questions import submit_question
from tests.support.valkey import wait_until

ALICE, BOB = "s:alice", "s:bob"


QUESTION = "How do people greet each other in Lisbon?"


numbers = itertools.count()


def submit(text=QUESTION, owner=ALICE, companion="culture", thread=None, **more):
    request = {"request_id": f"r-{next(numbers)}", "thread_id": UUID(thread) if thread else None} | more
    return submit_question(owner=owner, companion=companion, text=text, **request)


def wait_for_job(asked):
    """Return the job when it has finished."""

    def over():
        job = Job.objects.get(pk=asked.job.pk)
        return job if job.is_finished else None

    return wait_until(over, "the answer")


def is_cached(asked):
    """Return whether the question got a stored answer at once."""
    return bool(asked.job.is_finished and asked.job.result["cached"])


def reply_text(asked):
    return Message.objects.get(id=asked.reply_id).content


def store_answer(text=QUESTION, owner=ALICE, companion="culture", said="With two kisses."):
    """Store the answer to a first message, as a worker does. Return its key and thread id."""
    thread = Thread(owner=owner, companion=companion)
    key = lookup._key(thread, text)
    with active_run() as ctx:
        store.keep(key, store.Answer(said, "scripted"), ctx=ctx, thread_id=thread.id.hex)
    return key, thread.id.hex
