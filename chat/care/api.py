"""Help lines over HTTP: for the list of countries on the card, and for programs."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from chat.protocol.schemas.base import Problem

from .card import Locale, all_countries, card
from .screening import LANGUAGES, Concern, Level

router = Router(by_alias=True)


@router.get("/care", response={200: dict[str, Any], 422: Problem}, auth=None, tags=["care"])
async def get_care(
    request: HttpRequest, country: str = "", level: Level = "concern", language: str = "en"
) -> dict[str, Any]:
    """Return the card of a country, and all countries. `country` defaults to that of `Accept-Language`."""
    locale = Locale(request.headers.get("Accept-Language", ""), country)
    known = language if language in LANGUAGES else "en"
    return {"care": card(Concern(level, known), locale.country()), "countries": all_countries()}
