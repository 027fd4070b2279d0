"""What a search looks for: the words of a query, and the phrases that stand in quotation marks."""

import re

from .folding import fold

#: Maximum characters and terms of a query.
MAX_QUERY, MAX_TERMS = 200, 8
#: A phrase, or a word. A quotation mark without its other is a character like any other.
_TERM = re.compile(r'"([^"]+)"|(\S+)')


def terms_of(query: str) -> list[str]:
    """Return the folded terms of a query, each once; no terms when it shows nothing."""
    found = (fold(phrase or word) for phrase, word in _TERM.findall(_straight(query)))
    return list(dict.fromkeys(filter(None, found)))[:MAX_TERMS]


def _straight(query: str) -> str:
    """Return the query with one kind of quotation mark, and one kind of space."""
    return " ".join(re.sub("[“”„‟«»″]", '"', query).split())
