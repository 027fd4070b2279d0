"""Find conversations by their words. Plain functions; they block.

The words are compared in the form of `folding.fold`, without stemming. A search reads the threads of its
owner and no other rows: the newest first, a batch at a time. It ends when a page is full or its time is over,
and says where to go on. An index of all texts would read those of other owners, where a word is frequent.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from chat.conversations import texts, thread_list
from chat.conversations.thread_list import Mark
from chat.errors import InvalidInput
from chat.models import Message, Thread

from .folded_texts import fold_new
from .folding import find, fold
from .search_terms import MAX_QUERY, terms_of

#: Threads that are searched at a time.
BATCH = 10
#: Seconds after which a search reads no further batch.
PATIENCE = 1.0
#: Characters of a snippet before and after the match. So few before it that the match is seen on each screen.
BEFORE, AFTER = 16, 80


@dataclass(frozen=True)
class Snippet:
    """The text around a match."""

    before: str
    match: str
    after: str


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """A conversation in which all terms are in the title, or all in one message."""

    thread: Thread
    title: Snippet | None
    """The whole title, if it has the terms."""
    message_id: UUID | None
    """The last message that has the terms; None when only the title has them."""
    is_chosen: bool = True
    """Whether that message is on the chosen branch of its conversation."""
    snippet: Snippet | None
    """The text around the match in that message."""


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """Results, newest thread first, and the place from which to go on if not all threads were searched."""

    results: list[SearchResult]
    next: Mark | None


def search(*, owner: str, query: str, before: Mark | None = None) -> SearchPage:
    """Return the owner's newest threads that match, or those after a place: a page of them at most.

    Raise `InvalidInput` when the query is too long.
    """
    if len(query) > MAX_QUERY:
        raise InvalidInput("q", texts.query_too_long(MAX_QUERY))
    terms, results = terms_of(query), list[SearchResult]()
    deadline = time.monotonic() + PATIENCE
    while terms:
        threads = list(thread_list.older(owner, before)[:BATCH])
        results += _results(threads, terms)
        if len(results) > thread_list.PAGE:
            results = results[: thread_list.PAGE]
            return SearchPage(results=results, next=Mark.after(results[-1].thread))
        if len(threads) < BATCH:
            break
        before = Mark.after(threads[-1])
        if len(results) == thread_list.PAGE or time.monotonic() > deadline:
            return SearchPage(results=results, next=before)
    return SearchPage(results=results, next=None)


def _results(threads: list[Thread], terms: list[str]) -> list[SearchResult]:
    latest = _latest_matches(threads, terms)
    messages = Message.objects.only("content", "is_chosen").in_bulk(list(latest.values()))
    results = []
    for thread in threads:
        title = whole(thread.title, terms[0]) if _has_all(fold(thread.title), terms) else None
        message = messages.get(latest.get(thread.pk))
        if title or message:
            results.append(
                SearchResult(
                    thread=thread,
                    title=title,
                    message_id=message.pk if message else None,
                    snippet=snippet(message.content, terms[0]) if message else None,
                    is_chosen=message.is_chosen if message else True,
                )
            )
    return results


def _has_all(folded: str, terms: list[str]) -> bool:
    return all(term in folded for term in terms)


def _latest_matches(threads: list[Thread], terms: list[str]) -> dict[UUID, UUID]:
    """Return by thread the last message that has the terms: of the chosen branch, if one there has them."""
    latest: dict[UUID, tuple[bool, UUID]] = {}
    for message, folded in fold_new(threads):
        if _has_all(folded, terms):
            place = (message.is_chosen, message.pk)
            latest[message.thread_id] = max(place, latest.get(message.thread_id, place))
    condition = Q(thread=OuterRef("pk"))
    for term in terms:  # `contains` escapes % and _, so that they match themselves
        condition &= Q(folded__text__contains=term)
    # From the messages of a thread, not from the folded texts, among which those of all owners are.
    matching = Message.objects.filter(condition).order_by("-is_chosen", "-id")[:1]
    found = Thread.objects.filter(pk__in=[thread.pk for thread in threads]).annotate(
        latest=Subquery(matching.values("id")), is_chosen=Subquery(matching.values("is_chosen"))
    )
    for thread_id, message_id, is_chosen in found.values_list("pk", "latest", "is_chosen"):
        if message_id:
            place = (is_chosen, message_id)
            latest[thread_id] = max(place, latest.get(thread_id, place))
    return {thread_id: message_id for thread_id, (_, message_id) in latest.items()}


def snippet(content: str, term: str) -> Snippet:
    """Return the text around the first place of `term` in `content`, on one line."""
    line = whole(content, term)
    return Snippet(
        before=("…" if len(line.before) > BEFORE else "") + line.before[-BEFORE:],
        match=line.match,
        after=line.after[:AFTER] + ("…" if len(line.after) > AFTER else ""),
    )


def whole(text: str, term: str) -> Snippet:
    """Return all of `text` around the first place of `term`, on one line."""
    line = " ".join(text.split())
    start, end = find(line, term) or (0, 0)
    return Snippet(line[:start], line[start:end], line[end:])
