"""Asking what may have been asked before."""

import itertools

from chat.answer_cache import lookup, store
from chat.models import Message, Thread
from queueing.api import Job
from tests.chat.questions import submit_question
from tests.support.valkey import wait_until

ALICE, BOB = "s:alice", "s:bob"


QUESTION = "How do people greet each other in Lisbon?"


numbers = itertools.count()


def ask(text=QUESTION, owner=ALICE, companion="culture", thread=None, **more):
    request = {"request_id": f"r-{next(numbers)}", "thread_id": thread} | more
    return submit_question(owner=owner, companion=companion, text=text, **request)


def ended(asked):
    """The job, once it is over."""

    def over():
        job = Job.objects.get(pk=asked.job.pk)
        return job if job.is_finished else None

    return wait_until(over, "the answer")


def again(asked):
    """Whether the question was answered as it was asked, from what was stored."""
    return bool(asked.job.is_finished and asked.job.result["cached"])


def reply_to(asked):
    return Message.objects.get(id=asked.reply_id).content


def put(text=QUESTION, owner=ALICE, companion="culture", said="With two kisses."):
    """As if a worker had kept the answer to a first message; its key and where it came from."""
    thread = Thread(owner=owner, companion=companion)
    key = lookup._key(thread, text)
    store.keep(key, store.Answer(said, "scripted"), owner=owner, thread_id=thread.id.hex)
    return key, thread.id.hex
