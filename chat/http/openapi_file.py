"""`/api/openapi.json`. Making it takes a tenth of a second of CPU, so each process makes it once."""

import hashlib
import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from ninja.responses import NinjaJSONEncoder

from .api import api


@cache
def _file() -> bytes:
    return json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder).encode()


@cache
def _etag() -> str:
    return f'"{hashlib.sha256(_file()).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, no_cache=True)
@condition(etag_func=lambda _request: _etag())
def openapi_file(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI file, or 304 to a client that has it."""
    return HttpResponse(_file(), content_type="application/json")
