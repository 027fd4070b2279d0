"""The list of conversations in pages (P11)."""

import pytest
from django.utils import timezone

from chat.conversations import thread_list
from chat.conversations.thread_list import Mark
from chat.errors import InvalidInput
from chat.models import Thread
from tests.chat.conversations.long_thread import long_thread

ALICE = "s:alice"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_list, "PAGE", 2)


def threads(count: int) -> list[Thread]:
    """Create threads; the last is the newest."""
    return [long_thread(1, owner=ALICE) for _ in range(count)]


def read(before: Mark | None = None) -> list[Thread]:
    """Read all pages from a place on, each continued as a client does: by the text of its mark."""
    found: list[Thread] = []
    while True:
        page = thread_list.page(owner=ALICE, before=before)
        assert len(page.threads) <= 2
        found += page.threads
        if page.next is None:
            return found
        before = Mark.read(str(page.next), ALICE)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_threads_are_listed_newest_first_in_pages(count: int):
    made = threads(count)
    long_thread(1, owner="s:bob")
    assert read() == made[::-1]


def test_page_continues_where_it_ended_also_if_its_last_thread_moved_or_is_gone():
    made = threads(6)
    first = thread_list.page(owner=ALICE)
    assert first.threads == [made[5], made[4]]
    Thread.objects.filter(pk=made[4].pk).update(updated_at=timezone.now())
    threads(1)
    assert read(first.next) == [made[3], made[2], made[1], made[0]]
    made[4].delete()
    assert read(first.next) == [made[3], made[2], made[1], made[0]]


def test_threads_of_the_same_time_are_each_in_one_page():
    made = threads(5)
    Thread.objects.update(updated_at=timezone.now())
    assert sorted(thread.pk for thread in read()) == sorted(thread.pk for thread in made)


def test_place_is_also_the_id_of_a_thread():
    made = threads(4)
    for text in (str(made[2].pk), made[2].pk.hex):
        assert read(Mark.read(text, ALICE)) == [made[1], made[0]]
    with pytest.raises(Thread.DoesNotExist):
        Mark.read(made[2].pk.hex, "s:bob")


@pytest.mark.parametrize("text", ["x", "-", "1-", "1-2", f"{10**40}-{'0' * 32}", "\ud800"])
def test_place_that_is_none_is_refused(text: str):
    with pytest.raises(InvalidInput, match="before"):
        Mark.read(text, ALICE)
