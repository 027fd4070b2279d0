"""Search of conversations by their words."""

import random
import time
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations import edit, thread_list
from chat.conversations.searching import folded_texts
from chat.conversations.searching import search as search_module
from chat.conversations.searching.folding import RULES, fold
from chat.conversations.searching.search import AFTER, BEFORE, SearchPage, SearchResult, search, snippet
from chat.conversations.searching.search_terms import MAX_QUERY
from chat.errors import InvalidInput
from chat.models import FoldedText, Message, Role, Thread
from queueing.api import new_id
from tests.chat.browser import browser
from tests.chat.questions import submit_question


def thread(title: str = "Hello", *said: str, owner: str = "u:1", day: int = 1) -> Thread:
    at = f"2026-01-{day:02}T00:00Z"
    one = Thread.objects.create(owner=owner, companion="travel", title=title, updated_at=at)
    for text in said:
        Message.objects.create(thread=one, role=Role.USER, content=text, job_id=new_id())
    return one


def find(query: str, owner: str = "u:1") -> list[SearchResult]:
    """Search, and again: the second search reads what the first has kept. Both find the same."""
    first = search(owner=owner, query=query)
    assert search(owner=owner, query=query) == first
    assert first.next is None
    return first.results


def titles(query: str, owner: str = "u:1") -> list[str]:
    return [found.thread.title for found in find(query, owner)]


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
    (found,) = find("heron")
    assert found.snippet is not None
    assert (found.snippet.before, found.snippet.match) == ("and again: the ", "heron")
    assert found.title is None
    assert found.snippet.after == " of Alcochete"
    assert found.message_id == Message.objects.get(content__contains="Alcochete").id
    thread("The osprey", "no bird")
    (found,) = find("osprey")
    assert (found.message_id, found.snippet) == (None, None)
    assert found.title is not None
    assert (found.title.before, found.title.match, found.title.after) == ("The ", "osprey", "")


@pytest.mark.django_db
def test_search_reads_one_message_of_a_thread_with_many_matches():
    """S22: snippets are not searched among the contents of all matches."""
    thread("Many", *[f"heron {number}" for number in range(300)])
    find("heron")
    with CaptureQueriesContext(connection) as queries:
        (found,) = search(owner="u:1", query="heron").results
    assert found.snippet is not None
    assert found.snippet.after == " 299"
    contents = [query["sql"] for query in queries if '"content"' in query["sql"].partition(" FROM ")[0]]
    assert len(contents) == 1
    assert "LIKE" not in contents[0]


@given(st.text(max_size=300), st.text(min_size=1, max_size=5))
def test_snippet_is_short_and_part_of_the_text(content, word):
    made = snippet(content, fold(word))
    line = " ".join(content.split())
    assert made.before.removeprefix("…") + made.match + made.after.removesuffix("…") in line or not made.match
    assert len(made.before) <= BEFORE + 1
    assert len(made.after) <= AFTER + 1


@pytest.mark.django_db
def test_search_refuses_a_long_query_and_finds_nothing_for_an_empty_one():
    with pytest.raises(InvalidInput):
        search(owner="u:1", query="x" * (MAX_QUERY + 1))
    thread("Hello", "there")
    for empty in (" \x00 ", "\u0301", "\u200d"):
        assert find(empty) == []


PAIRS = [
    ("Über den Fluss", "über"),
    ("Über den Fluss", "UBER"),
    ("Привет, мир", "привет"),
    ("un café noir", "cafe\u0301"),
    ("un cafe\u0301 noir", "café"),
    ("Straße nach Rom", "STRASSE"),
    ("İstanbul", "istanbul"),
    ("ὁδός", "ΟΔΟΣ"),
    ("東京へ行きます", "行き"),
    ("שָׁלוֹם לך", "שלום"),
    ("line one\nline two", '"one line"'),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("either_database")
def test_search_ignores_case_and_accents_in_every_script_on_both_databases():
    """P7: in messages and in titles."""
    for number, (text, _) in enumerate(PAIRS):
        thread(f"Message {number}", f"before {text} after")
        thread(f"Title: {text}", "other words", owner="u:2")
    for number, (text, query) in enumerate(PAIRS):
        assert f"Message {number}" in titles(query), (text, query)
        assert f"Title: {text}" in titles(query, "u:2"), (text, query)
    assert titles('"two line"') == []
    (found,) = find("STRASSE")
    assert found.snippet is not None
    assert found.snippet.match == "Straße"


def read_all(query: str) -> list[SearchPage]:
    """Read all pages of a search."""
    pages = [search(owner="u:1", query=query)]
    while pages[-1].next:
        pages.append(search(owner="u:1", query=query, before=pages[-1].next))
    return pages


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [1, 3, 50])
@pytest.mark.parametrize("patience", [-1, 60])
def test_all_hits_are_reached_page_by_page_while_new_ones_come(monkeypatch, batch, patience):
    """P7: a search whose time is over after each batch reaches the same as a fast one."""
    monkeypatch.setattr(search_module, "BATCH", batch)
    monkeypatch.setattr(search_module, "PATIENCE", patience)
    monkeypatch.setattr(thread_list, "PAGE", 4)
    made = [thread(f"Hit {day}", "a heron", day=day) for day in range(1, 12)]
    thread("None", "a bird", day=20)
    first = search(owner="u:1", query="heron")
    assert len(first.results) <= 4
    thread("New", "a heron", day=25)
    found = list(first.results)
    place = first.next
    while place:
        page = search(owner="u:1", query="heron", before=place)
        assert len(page.results) <= 4
        found += page.results
        place = page.next
    assert [result.thread for result in found] == made[::-1]


@pytest.mark.django_db
def test_changed_and_deleted_messages_are_found_by_their_present_words_alone():
    one = thread("Hello", "the heron")
    message = Message.objects.get()
    assert titles("heron") == ["Hello"]
    assert FoldedText.objects.get().text == "the heron"
    Message.objects.update(content="the osprey")
    folded_texts.forget(message.pk)
    assert (titles("heron"), titles("osprey")) == ([], ["Hello"])
    message.delete()
    assert titles("osprey") == []
    assert not FoldedText.objects.exists()
    Message.objects.create(thread=one, role=Role.USER, content="the ibis", job_id=new_id())
    assert titles("ibis") == ["Hello"]
    one.delete()
    assert not FoldedText.objects.exists()


@pytest.mark.django_db
def test_incomplete_answer_is_found_and_not_kept():
    one = thread("Hello", "a bird")
    reply = Message.objects.create(
        thread=one, role=Role.ASSISTANT, content="A her", is_incomplete=True, job_id=new_id()
    )
    assert titles("her") == ["Hello"]
    assert [row.text for row in FoldedText.objects.all()] == ["a bird"]
    Message.objects.filter(pk=reply.pk).update(content="A heron.", is_incomplete=False)
    assert titles("heron") == ["Hello"]


@pytest.mark.django_db
def test_edit_of_a_waiting_question_is_found_by_its_new_words(valkey):
    asked = submit_question(owner="u:1", companion="travel", text="the heron", request_id="r-1")
    assert titles("heron") == ["the heron"]
    change = edit.MessageEdit(owner="u:1", message_id=UUID(asked.message_id), text="the ibis")
    assert edit.edit_message(change).in_place
    Thread.objects.update(title="Birds")
    assert (titles("heron"), titles("ibis")) == ([], ["Birds"])


@pytest.mark.django_db
def test_text_folded_by_other_rules_is_folded_again():
    thread("Hello", "the heron")
    FoldedText.objects.create(message=Message.objects.get(), rules=RULES - 1, text="stale")
    assert titles("heron") == ["Hello"]
    assert titles("stale") == []


@pytest.mark.django_db
def test_database_that_takes_no_writes_is_searched_all_the_same(monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("read-only")

    thread("Hello", "the heron")
    monkeypatch.setattr(FoldedText.objects, "bulk_create", refuse)
    assert titles("heron") == ["Hello"]
    assert not FoldedText.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_thread_list_accepts_a_search(valkey):
    async with browser() as alice:
        await alice.client.get("/")
        await alice.call("post", "/api/travel", {"message": "Where do herons live?"})
        await alice.call("post", "/api/travel", {"message": "And ospreys?"})
        (one,) = (await alice.client.get("/api/threads?q=heron")).json()["threads"]
        assert one["messageId"] == (await Message.objects.aget(content__contains="herons")).id.hex
        assert one["snippet"] == {"before": "Where do ", "match": "heron", "after": "s live?"}
        assert one["titleMatch"] == one["snippet"]
        assert len((await alice.client.get("/api/threads?q=")).json()["threads"]) == 2
        refused = await alice.client.get("/api/threads?q=" + "x" * 201)
        assert (refused.status_code, refused.json()["field"]) == (422, "q")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("either_database")
def test_search_of_a_hundred_thousand_messages_is_read_in_short_requests():
    """Prints the figures of docs/accounts.md: the longest request, and all of them, first and then again."""
    choose = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyzäé"
    words = ["".join(choose.choices(letters, k=choose.randint(3, 9))) for _ in range(20_000)]
    now = timezone.now()
    made = [
        Thread(owner=owner, companion="travel", title="T", updated_at=now - timedelta(minutes=number))
        for owner, count in (("u:1", 1000), ("u:2", 200))
        for number in range(count)
    ]
    Thread.objects.bulk_create(made)
    for one in made:
        texts = (" ".join(choose.choices(words, k=90)) for _ in range(100))
        row = partial(Message, thread=one, role=Role.USER)
        Message.objects.bulk_create([row(id=new_id(), content=text, job_id=new_id()) for text in texts])
    for query in ("zzzzqq", "zzzzqq", words[0], "ab"):
        took, place = [], None
        while place or not took:
            began = time.monotonic()
            page = search(owner="u:1", query=query, before=place)
            took.append(time.monotonic() - began)
            place = page.next if not page.results else None
        print(f"{connection.vendor} {query}: {len(took)} requests, {max(took):.2f} s, all {sum(took):.2f} s")
        assert page.results or query == "zzzzqq"
    assert FoldedText.objects.count() == 100_000
