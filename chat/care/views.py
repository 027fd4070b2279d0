"""The page of all help lines. It needs no database, no Redis and no script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .card import Locale, card_fields
from .help_lines import countries
from .screening import Concern

_LOW_CONCERN = Concern("concern", "en")


@require_safe
def help_lines(request: HttpRequest) -> HttpResponse:
    """Show the help lines of all countries, those of the visitor's country first."""
    here = Locale.of_request(request).country()
    others = [
        (country.name, card_fields(_LOW_CONCERN, country))
        for country in countries().values()
        if country != here
    ]
    context = {"name": here.name, "here": card_fields(_LOW_CONCERN, here), "countries": others}
    response = render(request, "care/help_lines.html", context)
    response["Vary"] = "Accept-Language, Cookie"
    return response
