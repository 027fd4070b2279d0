"""Find a conversation by its words. Plain functions; they block.

The words are matched as they are, without stemming and without an index: one owner's messages are few
enough to read through, and an index would be a second copy that erasing would have to include.
"""

import re
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from chat.errors import InvalidInput
from chat.models import Message, Thread

from . import texts
from .selectors import PAGE

#: Maximum characters and words of a query.
MAX_QUERY, MAX_WORDS = 200, 8
#: Characters of a snippet before and after the match.
AROUND = 40


@dataclass(frozen=True)
class Snippet:
    """The text around a match."""

    before: str
    match: str
    after: str


@dataclass(frozen=True)
class SearchResult:
    """A conversation in which all words are in the title, or all in one message."""

    thread: Thread
    snippet: Snippet | None
    """None when only the title has the words."""


def search(*, owner: str, query: str) -> list[SearchResult]:
    """Return the owner's newest threads that match. Raise `InvalidInput` when the query is too long."""
    if len(query) > MAX_QUERY:
        raise InvalidInput("q", texts.query_too_long(MAX_QUERY))
    words = query.replace("\x00", "").split()[:MAX_WORDS]
    if not words:
        return []
    # `icontains` escapes % and _, so that they match themselves.
    matching = Message.objects.filter(_contains_all(words, "content"), thread=OuterRef("pk"))
    threads = list(
        Thread.objects.filter(_contains_all(words, "title") | Exists(matching), owner=owner)[:PAGE]
    )
    snippets = _latest_snippets(threads, words)
    return [SearchResult(thread, snippets.get(thread.pk)) for thread in threads]


def _contains_all(words: list[str], field: str) -> Q:
    condition = Q()
    for word in words:
        condition &= Q(**{f"{field}__icontains": word})
    return condition


def _latest_snippets(threads: list[Thread], words: list[str]) -> dict[object, Snippet]:
    """Return a snippet by thread, from the last message that has the words."""
    found = Message.objects.filter(_contains_all(words, "content"), thread__in=threads).order_by("id")
    return {thread: snippet(content, words[0]) for thread, content in found.values_list("thread", "content")}


def snippet(content: str, word: str) -> Snippet:
    """Return the text around the first `word` of `content`, on one line."""
    text = " ".join(content.split())
    # Not by lower(), which changes the length of some letters.
    match = re.search(re.escape(word), text, re.IGNORECASE)
    start, end = match.span() if match else (0, 0)
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    return Snippet(
        before=("…" if start > AROUND else "") + before,
        match=text[start:end],
        after=after + ("…" if len(text) > end + AROUND else ""),
    )
