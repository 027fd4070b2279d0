"""All addresses of the site, from the URL resolver, and their methods."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from chat.http.api import api

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:\\.|\[[^]]*\]|[^()])*\)")

#: The admin's address of an app lists all apps.
_APPS = re.compile(r"\(\?P<app_label>[^)]*\)")


class Route(NamedTuple):
    """An address with the names of its parameters, and a method."""

    method: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"

    @property
    def parameters(self) -> list[str]:
        """Return the names of the parameters in the address."""
        return [a or b for a, b in _PARAMETER.findall(self.pattern)]

    def path(self, values: dict[str, Any]) -> str:
        """Return the address with these parameters."""
        filled = _PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), self.pattern)
        return "/" + re.sub(r"[\^$]|/\?", "", filled)


def _walk(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        pattern = prefix + _APPS.sub("<app_label>", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from _walk(one, pattern)
        else:
            yield pattern, one


def _methods_of_operations() -> dict[str, set[str]]:
    """Return the methods of the API's operations by their addresses, as the URL resolver writes them."""
    methods: dict[str, set[str]] = {}
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            pattern = "api" + re.sub(r"{(\w+)}", r"<\1>", prefix + path)
            methods.setdefault(pattern, set()).update(*(one.methods for one in view.operations))
    return methods


def all_routes() -> list[Route]:
    """Return every address, except the pages of models in the admin.

    Each has the methods of its operation; a view that is no operation has those of a browser.
    """
    operations = _methods_of_operations()
    found = {
        Route(method, pattern): None
        for pattern, _ in _walk(get_resolver())
        if not pattern.startswith(_MODEL_PAGES)
        for method in sorted(operations.get(pattern, {"GET", "POST"}))
    }
    return list(found)


def model_pages() -> list[Route]:
    """Return the addresses of the admin's model pages, with both methods of a browser."""
    patterns = [pattern for pattern, _ in _walk(get_resolver()) if pattern.startswith(_MODEL_PAGES)]
    return [Route(method, pattern) for pattern in patterns for method in ("GET", "POST")]


def label_of(pattern: str) -> str:
    """Return the label of the model to which a page of the admin belongs, such as `chat.thread`."""
    return ".".join(pattern.split("/")[1:3])


_MODEL_PAGES = tuple(
    f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry
)
