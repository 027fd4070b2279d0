"""The help card: how to reach a person, shown at once."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string

from .help_lines import Country, countries, country_of, directory
from .screening import Concern, screen

#: The cookie with the country that the visitor chose on the card. Set by the page.
COOKIE = "care_country"
#: The number of latest messages of a visitor that decide whether a conversation shows the card.
CHECKED_MESSAGES = 10
_CONTACT = re.compile(r"^(?P<name>[^<>]+?)\s*<(?P<url>(?:https|mailto|tel):[^<>\s]+)>$")

Card = dict[str, Any]


@dataclass(frozen=True)
class Locale:
    """The hints at a visitor's country: the browser's languages, and the country the visitor chose."""

    accept_language: str = ""
    chosen: str = ""

    @classmethod
    def of_request(cls, request: HttpRequest) -> Self:
        """Return the locale of an HTTP request."""
        return cls(request.META.get("HTTP_ACCEPT_LANGUAGE", ""), request.COOKIES.get(COOKIE, ""))

    @classmethod
    def of_scope(cls, scope: dict[str, Any]) -> Self:
        """Return the locale of a socket's ASGI scope."""
        headers = dict(scope.get("headers", ()))
        return cls(headers.get(b"accept-language", b"").decode("latin-1"), scope["cookies"].get(COOKIE, ""))

    def country(self) -> Country:
        """Return the country, or `UNKNOWN`."""
        return country_of(self.accept_language, self.chosen)


def card_for(text: str, locale: Locale) -> Card | None:
    """Return the card for `text` as clients get it; None when it raises no concern."""
    concern = screen(text)
    return card(concern, locale.country()) if concern else None


def card(concern: Concern, country: Country) -> Card:
    """Return the card: sentences in the language of the concern, links, and the same as HTML."""
    shown = card_fields(concern, country)
    words = _texts()[concern.language]
    context = {"card": shown, "words": words, "countries": countries().values()}
    return shown | {"html": render_to_string("care/card.html", context)}


def card_fields(concern: Concern, country: Country) -> Card:
    """Return the card without its HTML, which takes longer than all the rest."""
    words = _texts()[concern.language]
    return {
        "level": concern.level,
        "language": concern.language,
        "title": words[concern.level],
        "text": words["who"],
        "country": country.code,
        "emergency": _emergency(words, country),
        "lines": [_line(words, line) for line in country.lines],
        "contact": _contact(words),
        "directory": {"label": words["directory"], "url": directory()},
    }


def all_countries() -> list[dict[str, str]]:
    """Return the code and name of all countries with help lines."""
    return [{"code": country.code, "name": country.name} for country in countries().values()]


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text())


def _emergency(words: dict[str, str], country: Country) -> dict[str, str]:
    label = words["emergency"].format(number=country.emergency)
    return {"label": label, "number": country.emergency, "url": f"tel:{country.emergency}"}


def _line(words: dict[str, str], line: dict[str, Any]) -> dict[str, Any]:
    number = str(line["number"])
    dial = re.sub(r"[^\d+]", "", number)
    ways = []
    if "say" in line:
        label = words["say"].format(word=line["say"], number=number)
        ways.append({"label": label, "url": f"sms:{dial}?&body={line['say']}"})
    else:
        ways.append({"label": words["call"].format(number=number), "url": f"tel:{dial}"})
        if line.get("text"):
            ways.append({"label": words["text"].format(number=number), "url": f"sms:{dial}"})
    return {
        "name": line["name"],
        "number": number,
        "hours": line.get("hours", "24/7"),
        "for": line.get("for", "everybody"),
        "web": line["web"],
        "ways": ways,
    }


def contact() -> tuple[str, str] | None:
    """Return (name, address) of CARE_CONTACT, or None. Raises `ValueError` when it is invalid."""
    if not settings.CARE_CONTACT:
        return None
    if not (found := _CONTACT.match(settings.CARE_CONTACT)):
        raise ValueError(settings.CARE_CONTACT)
    return found["name"], found["url"]


def _contact(words: dict[str, str]) -> dict[str, str] | None:
    try:
        found = contact()
    except ValueError:  # a system check reports it
        return None
    return {"label": words["contact"].format(name=found[0]), "url": found[1]} if found else None
