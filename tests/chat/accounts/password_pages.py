"""Finding every page that asks for a present password, from the addresses and the HTML of the site."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.chat.accounts.account_client import PASSWORD

#: Pages whose GET is long or changes something, and that have no forms.
SKIPPED = {"/account/export/", "/api/openapi.json"}


class Field(NamedTuple):
    name: str
    type: str
    autocomplete: str
    value: str

    @property
    def is_present_password(self) -> bool:
        return self.type == "password" and self.autocomplete != "new-password"


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[list[Field]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append([])
        elif tag == "input" and self.forms and given.get("name"):
            names = ("name", "type", "autocomplete", "value")
            self.forms[-1].append(Field(*(given.get(name, "") for name in names)))


class PasswordForm(NamedTuple):
    """A form that asks for a present password."""

    path: str
    fields: list[Field]

    def submit(self, client: Client, name: str, password: str) -> Any:
        """Submit the form with `password` as the present password."""
        data = {field.name: self._value(field, name, password) for field in self.fields}
        return client.post(self.path, data)

    @staticmethod
    def _value(field: Field, name: str, password: str) -> str:
        if field.is_present_password:
            return password
        if field.type == "password":
            return f"{PASSWORD}-new"
        return name if field.name in ("username", "login", "email") else field.value


def addresses(argument: str) -> Iterator[str]:
    """Yield the path of every named address; those with one argument with `argument`."""
    for name in _names(get_resolver(), ""):
        for args in ([], [argument]):
            try:
                yield reverse(name, args=args)
                break
            except NoReverseMatch:
                continue


def _names(resolver: URLResolver, namespace: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _names(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield namespace + pattern.name


def password_forms(client: Client, argument: str) -> list[PasswordForm]:
    """Return all forms with a present password that this client can open."""
    found = []
    for path in sorted(set(addresses(argument)) - SKIPPED):
        response = client.get(path)
        if (
            response.status_code != 200
            or "html" not in response.get("Content-Type", "")
            or response.streaming
        ):
            continue
        parser = _Forms()
        parser.feed(response.content.decode())
        found += [
            PasswordForm(path, fields)
            for fields in parser.forms
            if any(field.is_present_password for field in fields)
        ]
    return found
