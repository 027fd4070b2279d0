"""Care in the HTTP API: looked for before anything else, and told with whatever the answer is."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from .card import LATEST, Place, card_for
from .counters import count


async def look_after(request: HttpRequest, text: str, companion: str = "") -> None:
    """Remember the card that `text` calls for with the request, and count it."""
    card = await sync_to_async(card_for, thread_sensitive=False)(text, Place.of_request(request))
    request.care = card
    if card:
        await sync_to_async(count)(companion, card["level"])


def care_of(request: HttpRequest) -> dict[str, Any]:
    """`{"care": …}` where there is a card, to be merged into an answer."""
    card = getattr(request, "care", None)
    return {"care": card} if card else {}


def add_care(request: HttpRequest, problem: HttpResponse) -> HttpResponse:
    """The problem document, with the card."""
    if card := care_of(request):
        problem.content = json.dumps(json.loads(problem.content) | card, ensure_ascii=False)
    return problem


async def care_in(request: HttpRequest, messages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """As `care_of`, for a conversation: the latest of the visitor's recent messages that calls for a card."""
    mine = [message for message in messages if message["role"] == "user"]
    return await sync_to_async(_latest, thread_sensitive=False)(mine[-LATEST:], Place.of_request(request))


def _latest(mine: list[Mapping[str, Any]], place: Place) -> dict[str, Any]:
    for message in reversed(mine):
        if card := card_for(message["content"], place):
            return {"care": card | {"messageId": message["id"].hex}}
    return {}
