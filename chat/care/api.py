"""Help lines over HTTP: for the card's list of countries, and for programs."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from chat.protocol.schemas import Problem

from .card import Place, all_countries, card
from .screening import LANGUAGES, Concern, Level

router = Router(by_alias=True)


@router.get("/care", response={200: dict[str, Any], 422: Problem}, auth=None, tags=["care"])
async def get_care(
    request: HttpRequest, country: str = "", level: Level = "concern", language: str = "en"
) -> dict[str, Any]:
    """The card of a country, and the countries there are. Without `country`, that of `Accept-Language`."""
    place = Place(request.headers.get("Accept-Language", ""), country)
    known = language if language in LANGUAGES else "en"
    return {"care": card(Concern(level, known), place.country()), "countries": all_countries()}
