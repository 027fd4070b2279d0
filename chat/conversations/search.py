"""Finding a conversation by what was said in it. Plain functions; they block.

The words are looked for as they are, without stemming and without an index: one owner's messages are few
enough to read through, and no copy of them lies about in an index that erasing would have to know of.
"""

import re
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from chat.errors import InvalidInput
from chat.models import Message, Thread

from .selectors import PAGE

#: Characters and words of a query, at most.
MAX_QUERY, MAX_WORDS = 200, 8
#: Characters of a snippet before and after what was found.
AROUND = 40


@dataclass(frozen=True)
class Snippet:
    """Where the words were found."""

    before: str
    match: str
    after: str


@dataclass(frozen=True)
class Found:
    """A conversation in which all words are in the title, or all in one message."""

    thread: Thread
    snippet: Snippet | None
    """None when it is the title alone that has them."""


def search(*, owner: str, query: str) -> list[Found]:
    """The owner's newest threads that fit; `InvalidInput` when the query is too long."""
    if len(query) > MAX_QUERY:
        raise InvalidInput("q", f"A search has {MAX_QUERY} characters at most.")
    words = query.replace("\x00", "").split()[:MAX_WORDS]
    if not words:
        return []
    # `icontains` escapes % and _, so that they are what they look like.
    said = Message.objects.filter(_all(words, "content"), thread=OuterRef("pk"))
    threads = list(Thread.objects.filter(_all(words, "title") | Exists(said), owner=owner)[:PAGE])
    hits = _latest_hits(threads, words)
    return [Found(thread, hits.get(thread.pk)) for thread in threads]


def _all(words: list[str], field: str) -> Q:
    wanted = Q()
    for word in words:
        wanted &= Q(**{f"{field}__icontains": word})
    return wanted


def _latest_hits(threads: list[Thread], words: list[str]) -> dict[object, Snippet]:
    """By thread, from the last message that has the words."""
    found = Message.objects.filter(_all(words, "content"), thread__in=threads).order_by("id")
    return {thread: snippet(content, words[0]) for thread, content in found.values_list("thread", "content")}


def snippet(content: str, word: str) -> Snippet:
    """What stands around the first `word` of a text, on one line."""
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
