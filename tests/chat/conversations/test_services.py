"""Question, empty reply and job are stored together or not at all; Bob must not reach what is Alice's."""

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from chat.conversations import selectors, services, thread_list, threads
from chat.conversations.messages import AcceptedMessage
from chat.conversations.pages import page
from chat.errors import InvalidInput, LimitReached
from chat.models import Message, Role, Thread
from chat.replies.reply_job import save_reply
from chat.replies.titles import title_from
from queueing.api import Ending, Job, Rejected, State, WrongState, new_id
from queueing.testing import rejecting
from tests.chat.questions import submit_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ALICE, BOB = "s:alice", "s:bob"


def ask(text: str = "Where to?", *, owner: str = ALICE, request_id: str = "r-1", **more) -> AcceptedMessage:
    return submit_question(owner=owner, **({"companion": "travel"} | more), text=text, request_id=request_id)


def end(asked: AcceptedMessage, state: State, *, response: str = "", text: str = "") -> None:
    save_reply(
        Ending(
            job_id=asked.job.id.hex,
            owner=ALICE,
            args=asked.job.args,
            state=state,
            result={"response": response} if response else None,
            error="",
            text=text,
        )
    )


def test_first_question_creates_thread_question_reply_and_job():
    asked = ask("  Three days\nin Lisbon, for two people who walk slowly and eat late, please  ")
    thread = Thread.objects.get()
    question, reply = thread.messages.all()
    assert (thread.id.hex, question.id.hex, reply.id.hex) == (
        asked.thread_id,
        asked.message_id,
        asked.reply_id,
    )
    assert (question.role, reply.role, reply.content) == (Role.USER, Role.ASSISTANT, "")
    assert thread.title == "Three days in Lisbon, for two people who walk slowly and…"
    assert asked.job.args == {"reply_id": asked.reply_id}
    assert "Lisbon" not in str(asked.job.meta)
    assert question.job_id == reply.job_id == asked.job.id


def test_second_question_is_added_to_the_same_thread():
    first = ask()
    second = ask("And then?", request_id="r-2", thread_id=UUID(first.thread_id))
    assert second.thread_id == first.thread_id
    said = page(Thread.objects.get()).items
    assert [one.message.content for one in said] == ["Where to?", "", "And then?", ""]
    assert [one.status for one in said] == ["waiting"] * 4


def test_repeated_request_id_writes_nothing_and_returns_the_same_ids():
    first = ask()
    again = ask("Something else entirely")
    assert not again.created
    assert (again.job.id, again.thread_id, again.message_id, again.reply_id) == (
        first.job.id,
        first.thread_id,
        first.message_id,
        first.reply_id,
    )
    assert (Thread.objects.count(), Message.objects.count(), Job.objects.count()) == (1, 2, 1)


def test_repeated_request_id_over_every_limit_returns_the_same_ids(settings):
    asked = ask()
    settings.LIMITS = settings.LIMITS | {"anonymous": "1/hour"}
    settings.LIMIT_MAX_WAIT = 0
    with rejecting():
        ask_again = ask()
    assert (ask_again.created, ask_again.reply_id) == (False, asked.reply_id)
    assert ask(thread_id=new_id()).reply_id == asked.reply_id  # nor does a thread that is gone matter
    assert ask(request_id="r-2").created  # the repetitions were not counted
    with pytest.raises(LimitReached):
        ask(request_id="r-3")


def test_same_request_id_of_another_owner_creates_another_job():
    assert ask().job != ask(owner=BOB).job


def test_request_id_of_another_kind_of_job_is_refused():
    job = ask().job
    Job.objects.filter(id=job.id).update(meta={})
    with pytest.raises(InvalidInput, match="requestId"):
        ask()


def test_question_into_another_owners_thread_is_refused():
    thread_id = UUID(ask().thread_id)
    with pytest.raises(Thread.DoesNotExist):
        ask(owner=BOB, thread_id=thread_id)
    assert Job.objects.count() == 1


def test_services_and_selectors_hide_rows_of_other_owners():
    asked = ask()
    job_id, thread_id = asked.job.id, UUID(asked.thread_id)
    assert thread_list.page(owner=BOB).threads == []
    for act in (selectors.job, services.cancel, services.retry):
        with pytest.raises(Job.DoesNotExist):
            act(owner=BOB, job_id=job_id)
    for act in (selectors.thread, threads.delete_thread):
        with pytest.raises(Thread.DoesNotExist):
            act(owner=BOB, thread_id=thread_id)
    with pytest.raises(Thread.DoesNotExist):
        threads.rename_thread(owner=BOB, thread_id=thread_id, title="mine")
    assert Thread.objects.get().title == "Where to?"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": " \n\t"}, "message"),
        ({"text": "x" * 20_001}, "message"),
        ({"text": "a\x00b"}, "message"),
        ({"companion": "nobody"}, "companion"),
        ({"companion": "asst_123"}, "companion"),
    ],
)
def test_invalid_question_is_refused_by_field_and_stores_nothing(change, field):
    with pytest.raises(InvalidInput) as caught:
        ask(**change)
    assert caught.value.field == field
    assert not Thread.objects.exists()
    assert not Job.objects.exists()


def test_question_of_the_maximum_length_is_accepted():
    assert ask("x" * 20_000).created


def test_question_to_another_companion_in_a_thread_is_refused():
    asked = ask()
    with pytest.raises(InvalidInput, match="with the travel companion"):
        ask(request_id="r-2", companion="culture", thread_id=UUID(asked.thread_id))


def test_question_to_a_full_queue_stores_nothing():
    with rejecting(), pytest.raises(Rejected):
        ask()
    assert not Thread.objects.exists()
    assert not Message.objects.exists()


def test_renamed_title_is_one_clean_line():
    asked = ask()
    thread = threads.rename_thread(owner=ALICE, thread_id=UUID(asked.thread_id), title="  Lisbon \n trip ")
    assert thread.title == "Lisbon trip"
    for wrong in ("", " \n", "x" * 121):
        with pytest.raises(InvalidInput, match="title"):
            threads.rename_thread(owner=ALICE, thread_id=thread.id, title=wrong)


def test_title_of_one_long_word_is_cut():
    assert title_from("x" * 100) == "x" * 60 + "…"


@pytest.mark.parametrize(
    ("state", "more", "content", "is_incomplete"),
    [
        (State.COMPLETED, {"response": "Lisbon!"}, "Lisbon!", False),
        (State.CANCELLED, {"text": "Lis"}, "Lis", True),
        (State.FAILED, {"text": "Lis"}, "Lis", True),
        (State.FAILED, {"text": "Let me see.\n</think>\n\nLis"}, "Lis", True),
        (State.FAILED, {"text": ""}, "", False),
    ],
)
def test_end_of_job_fills_the_reply(state, more, content, is_incomplete):
    asked = ask()
    before = Thread.objects.get().updated_at
    end(asked, state, **more)
    reply = Message.objects.get(role=Role.ASSISTANT)
    assert (reply.content, reply.is_incomplete) == (content, is_incomplete)
    assert Thread.objects.get().updated_at > before


def test_end_of_job_of_deleted_thread_changes_nothing():
    asked = ask()
    Thread.objects.all().delete()
    end(asked, State.COMPLETED, response="Too late.")
    assert not Message.objects.exists()


def test_cancelling_twice_is_no_error():
    asked = ask()
    assert services.cancel(owner=ALICE, job_id=asked.job.id).state == State.CANCELLED
    assert services.cancel(owner=ALICE, job_id=asked.job.id).state == State.CANCELLED


def test_retry_of_waiting_job_is_refused():
    asked = ask()
    with pytest.raises(WrongState):
        services.retry(owner=ALICE, job_id=asked.job.id)


def test_deleted_thread_cancels_its_jobs_and_erases_their_texts():
    asked = ask()
    Job.objects.filter(id=asked.job.id).update(text="secret", result={"response": "secret"})
    threads.delete_thread(owner=ALICE, thread_id=UUID(asked.thread_id))
    job = Job.objects.get()
    assert (job.state, job.text, job.result) == (State.CANCELLED, "", None)
    assert not Message.objects.exists()


def test_conversation_with_pruned_jobs_counts_as_completed():
    asked = ask()
    Job.objects.all().delete()
    said = page(Thread.objects.get()).items
    assert [one.status for one in said] == ["completed", "completed"]
    assert said[0].message.job_id == asked.job.id
    Message.objects.filter(role=Role.ASSISTANT).update(content="Lis", is_incomplete=True)
    said = page(Thread.objects.get()).items
    assert [one.status for one in said] == ["completed", "failed"]


def test_database_constraints_refuse_invalid_messages():
    asked = ask()
    thread = Thread.objects.get()
    for wrong in (
        {"role": "user", "content": "", "job_id": new_id()},
        {"role": "narrator", "content": "x", "job_id": new_id()},
        {"role": "assistant", "content": "a second reply", "job_id": asked.job.id},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Message.objects.create(thread=thread, **wrong)
