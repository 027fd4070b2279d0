"""Conversations are read in pages (S22)."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.conversations import pages, questions
from chat.conversations.pages import PAGE_CHARACTERS, PAGE_MESSAGES, Page, Place, page, read_through
from chat.errors import ChatError, InvalidInput
from chat.models import Message, Thread
from queueing.api import new_id
from tests.chat.questions import submit_question

from .long_thread import long_thread, numbers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def shown(found: Page) -> list[int]:
    return numbers([item.message.content for item in found.items])


def walk(thread: Thread, direction: str) -> list[list[int]]:
    """Return the numbers of all pages from one end of the thread to the other."""
    edge = {"before": 0, "after": -1}[direction]
    found = page(thread) if direction == "before" else page(thread, Place(after=UUID(int=1)))
    walked = [shown(found)]
    while found.earlier if direction == "before" else found.later:
        found = page(thread, Place(**{direction: found.items[edge].message.id}))
        walked.append(shown(found))
    return walked


@pytest.mark.parametrize("length", [0, 1, 2, 39, 40, 41, 101])
def test_pages_walked_either_way_have_each_message_once(length):
    thread = long_thread(length)
    back = [number for part in reversed(walk(thread, "before")) for number in part]
    forth = [number for part in walk(thread, "after") for number in part]
    assert forth == list(range(length))
    assert back == list(range(length))


def test_newest_page_of_a_long_thread_costs_as_many_queries_as_of_a_short_one():
    costs = []
    for length in (80, 800):
        thread = long_thread(length)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = page(thread)
        assert shown(found) == list(range(length - PAGE_MESSAGES, length))
        assert (found.earlier, found.later) == (True, False)
        costs.append(len(queries))
    assert costs[0] == costs[1] < 10


def test_message_written_while_the_newest_page_is_read_is_not_after_it(monkeypatch):
    """A page with messages after it is not at the end: it would show nothing of what events bring."""
    thread, read = long_thread(3), pages._with_jobs

    def write_and_read(rows):
        Message.objects.create(id=new_id(), thread=thread, role="user", content="meanwhile", job_id=new_id())
        return read(rows)

    monkeypatch.setattr(pages, "_with_jobs", write_and_read)
    assert not page(thread).later
    assert page(thread, Place(before=new_id())).later


def test_page_of_large_messages_has_fewer():
    thread = long_thread(40, size=20_000)
    found = page(thread)
    assert shown(found) == [34, 35, 36, 37, 38, 39]
    assert len(found.items) <= PAGE_CHARACTERS // 20_000 + 1


def test_message_larger_than_a_page_is_a_page():
    thread = long_thread(4, size=PAGE_CHARACTERS + 1)
    assert walk(thread, "before") == [[2, 3], [0, 1]], "a question and its reply stay together"


def test_page_around_a_message_has_those_before_and_after_it():
    thread = long_thread(200)
    middle = Message.objects.get(content="Message 100")
    found = page(thread, Place(around=middle.id))
    assert (found.earlier, found.later) == (True, True)
    assert shown(found)[0] < 90
    assert shown(found)[-1] > 110
    with pytest.raises(Message.DoesNotExist):
        page(thread, Place(around=new_id()))
    other = long_thread(2, owner="s:bob")
    with pytest.raises(Message.DoesNotExist):
        page(thread, Place(around=other.messages.first().id))


@pytest.mark.parametrize("place", ["before", "after"])
def test_page_at_a_deleted_message_goes_on_from_where_it_was(place):
    thread = long_thread(90)
    gone = Message.objects.get(content="Message 44").id
    Message.objects.filter(id=gone).delete()
    found = page(thread, Place(**{place: gone}))
    assert shown(found)[-1 if place == "before" else 0] == {"before": 43, "after": 45}[place]


@settings(max_examples=20)
@given(
    st.lists(st.integers(min_value=1, max_value=400), max_size=12), st.integers(min_value=1, max_value=500)
)
def test_every_walk_is_complete_whatever_the_sizes(sizes, characters):
    thread = long_thread(len(sizes))
    for message, size in zip(thread.messages.all(), sizes, strict=True):
        Message.objects.filter(id=message.id).update(content=message.content.ljust(size, "."))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGE_CHARACTERS", characters)
        patch.setattr(pages, "PAGE_MESSAGES", 4)
        back = [number for part in reversed(walk(thread, "before")) for number in part]
        through = [message.content for batch in read_through(thread) for message in batch]
    assert back == list(range(len(sizes))) == numbers(through)


def test_thread_with_the_maximum_of_messages_accepts_no_more(monkeypatch):
    monkeypatch.setattr(questions, "MAX_MESSAGES", 4)
    first = submit_question(owner="s:a", companion="travel", text="One", request_id="r-1")
    thread_id = UUID(first.thread_id)
    submit_question(owner="s:a", companion="travel", text="Two", request_id="r-2", thread_id=thread_id)
    with pytest.raises(ChatError, match="maximum") as refused:
        submit_question(owner="s:a", companion="travel", text="Three", request_id="r-3", thread_id=thread_id)
    assert (refused.value.code, refused.value.status) == ("thread_full", 422)
    assert not isinstance(refused.value, InvalidInput)
    assert Message.objects.count() == 4
