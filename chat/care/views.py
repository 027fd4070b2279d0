"""The page of all help lines. It asks neither the database nor Redis, and needs no script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .card import Place, card
from .help_lines import countries
from .screening import Concern

_CALM = Concern("concern", "en")


@require_safe
def lines(request: HttpRequest) -> HttpResponse:
    """The visitor's own country's first, as far as it is known."""
    here = Place.of_request(request).country()
    others = [(country.name, card(_CALM, country)) for country in countries().values() if country != here]
    context = {"name": here.name, "here": card(_CALM, here), "countries": others}
    response = render(request, "care/lines.html", context)
    response["Vary"] = "Accept-Language, Cookie"
    return response
