"""Care in the HTTP API: messages are screened first, and every response can carry the card."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from .card import CHECKED_MESSAGES, Locale, card_for
from .counters import count_card


def screen(request: HttpRequest, text: str, companion: str = "") -> None:
    """Store the card for `text` in the request, and count it. Blocks."""
    request.care = card = card_for(text, Locale.of_request(request))
    if card:
        count_card(companion, card["level"])


async def screen_request(request: HttpRequest, text: str, companion: str = "") -> None:
    """Do `screen` on the event loop."""
    await sync_to_async(screen)(request, text, companion)


def care_of(request: HttpRequest) -> dict[str, Any]:
    """Return `{"care": …}` to merge into a response; empty without a card."""
    card = getattr(request, "care", None)
    return {"care": card} if card else {}


def add_care(request: HttpRequest, problem: HttpResponse) -> HttpResponse:
    """Add the card, if there is one, to a problem document."""
    if card := care_of(request):
        problem.content = json.dumps(json.loads(problem.content) | card, ensure_ascii=False)
    return problem


async def care_of_thread(request: HttpRequest, messages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `{"care": …}` for the latest of the visitor's recent messages that needs a card."""
    own = [message for message in messages if message["role"] == "user"]
    return await sync_to_async(_latest, thread_sensitive=False)(
        own[-CHECKED_MESSAGES:], Locale.of_request(request)
    )


def _latest(messages: list[Mapping[str, Any]], locale: Locale) -> dict[str, Any]:
    for message in reversed(messages):
        if card := card_for(message["content"], locale):
            return {"care": card | {"messageId": message["id"].hex}}
    return {}
