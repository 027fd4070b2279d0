"""Following the links of pages, as a person with a mouse could."""

from html.parser import HTMLParser
from typing import Any


class _Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href") and "download" not in given:
            self.found.add(given["href"])


def follow_all(client: Any, *first: str, below: str) -> set[str]:
    """Open all pages below an address that can be reached from the first ones; fail if one is refused.

    Links that filter or sort their own page are left out.
    """
    seen, left = set[str](), dict.fromkeys(first, "")
    while left:
        path, origin = left.popitem()
        seen.add(path)
        response = client.get(path)
        assert response.status_code == 200, f"{origin} links to {path}, which answers {response.status_code}"
        for href in _Links(response.content.decode()).found:
            link = href.partition("#")[0].partition("?")[0]
            if link.startswith(below) and link not in seen:
                left[link] = path
    return seen
