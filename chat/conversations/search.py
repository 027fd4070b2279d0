"""Find a conversation by its words. Plain functions; they block.

The words are matched as they are, without stemming and without an index: one owner's messages are few
enough to read through, and an index would be a second copy that erasing would have to include.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery

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
    message_id: UUID | None
    """The last message that has the words; None when only the title has them."""
    snippet: Snippet | None
    """The text around the match in that message."""


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
    latest = _latest_matches(threads, words)
    contents = dict(Message.objects.filter(id__in=latest.values()).values_list("id", "content"))
    results = []
    for thread in threads:
        message_id = latest.get(thread.pk)
        content = contents.get(message_id)
        results.append(SearchResult(thread, message_id, content and snippet(content, words[0])))
    return results


def _contains_all(words: list[str], field: str) -> Q:
    condition = Q()
    for word in words:
        condition &= Q(**{f"{field}__icontains": word})
    return condition


def _latest_matches(threads: list[Thread], words: list[str]) -> dict[UUID, UUID]:
    """Return by thread the last message that has the words."""
    matching = Message.objects.filter(_contains_all(words, "content"), thread=OuterRef("pk")).order_by("-id")
    found = Thread.objects.filter(pk__in=[thread.pk for thread in threads])
    return dict(found.annotate(latest=Subquery(matching.values("id")[:1])).values_list("pk", "latest"))


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
