"""Search of conversations by their words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.search import AROUND, MAX_QUERY, search, snippet
from chat.errors import InvalidInput
from chat.models import Message, Role, Thread
from queueing.api import new_id
from tests.chat.browser import browser


def thread(title: str = "Hello", *said: str, owner: str = "u:1", day: int = 1) -> Thread:
    at = f"2026-01-{day:02}T00:00Z"
    one = Thread.objects.create(owner=owner, companion="travel", title=title, updated_at=at)
    for text in said:
        Message.objects.create(thread=one, role=Role.USER, content=text, job_id=new_id())
    return one


def titles(query: str, owner: str = "u:1") -> list[str]:
    return [found.thread.title for found in search(owner=owner, query=query)]


@pytest.mark.django_db
def test_search_finds_titles_and_messages_newest_thread_first():
    thread("Lisbon in May", "Where to?", day=1)
    thread("Something", "Is LISBON far from Porto?", day=3)
    thread("Other", "Rome", day=2)
    assert titles("lisbon") == ["Something", "Lisbon in May"]
    assert titles("porto lisbon") == ["Something"], "all words, in any order"
    assert titles("lisbon rome") == []


@pytest.mark.django_db
def test_search_finds_only_the_owners_threads():
    thread("Mine", "the heron", owner="u:1")
    assert titles("heron", "u:2") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["%", "_", "\\", "100%", "a_b", "'; DROP TABLE chat_thread; --", "(", "[a-z]*"]
)
def test_search_treats_wildcards_as_plain_characters(query):
    thread("Plain", "nothing special here, 100 and aXb")
    assert titles(query) == []
    thread("Special", f"before {query} after")
    assert titles(query) == ["Special"]


@pytest.mark.django_db
def test_snippet_is_from_the_latest_matching_message():
    thread("Hello", "old heron", "and again:\nthe heron  of Alcochete", "no bird")
    (found,) = search(owner="u:1", query="heron")
    assert found.snippet is not None
    assert (found.snippet.before, found.snippet.match) == ("and again: the ", "heron")
    assert found.snippet.after == " of Alcochete"
    assert found.message_id == Message.objects.get(content__contains="Alcochete").id
    thread("The osprey", "no bird")
    (found,) = search(owner="u:1", query="osprey")
    assert (found.message_id, found.snippet) == (None, None)


@pytest.mark.django_db
def test_search_reads_one_message_of_a_thread_with_many_matches():
    """S22: snippets are not searched among the contents of all matches."""
    thread("Many", *[f"heron {number}" for number in range(300)])
    with CaptureQueriesContext(connection) as queries:
        (found,) = search(owner="u:1", query="heron")
    assert found.snippet is not None
    assert found.snippet.after == " 299"
    contents = [query["sql"] for query in queries if '"content" FROM' in query["sql"]]
    assert len(contents) == 1
    assert "LIKE" not in contents[0]


@given(st.text(max_size=300), st.text(min_size=1, max_size=5))
def test_snippet_is_short_and_part_of_the_text(content, word):
    made = snippet(content, word)
    line = " ".join(content.split())
    assert made.before.removeprefix("…") + made.match + made.after.removesuffix("…") in line or not made.match
    assert len(made.before) <= AROUND + 1
    assert len(made.after) <= AROUND + 1


@pytest.mark.django_db
def test_search_refuses_a_long_query_and_finds_nothing_for_an_empty_one():
    with pytest.raises(InvalidInput):
        search(owner="u:1", query="x" * (MAX_QUERY + 1))
    assert search(owner="u:1", query=" \x00 ") == []


@pytest.mark.django_db(transaction=True)
async def test_thread_list_accepts_a_search(valkey):
    async with browser() as alice:
        await alice.client.get("/")
        await alice.call("post", "/api/travel", {"message": "Where do herons live?"})
        await alice.call("post", "/api/travel", {"message": "And ospreys?"})
        (one,) = (await alice.client.get("/api/threads?q=heron")).json()["threads"]
        assert one["messageId"] == (await Message.objects.aget(content__contains="herons")).id.hex
        assert one["snippet"] == {"before": "Where do ", "match": "heron", "after": "s live?"}
        assert len((await alice.client.get("/api/threads?q=")).json()["threads"]) == 2
        refused = await alice.client.get("/api/threads?q=" + "x" * 201)
        assert (refused.status_code, refused.json()["field"]) == (422, "q")
