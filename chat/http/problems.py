"""Every error of the HTTP API as RFC 9457 problem details."""

import json
import logging
import sys
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from inspect import iscoroutinefunction
from math import ceil
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import BadRequest, DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template import loader
from django.urls import URLPattern
from django.views.defaults import bad_request as default_bad_request
from django.views.defaults import server_error as default_server_error
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from chat.accounts.access.tokens import TokenRefused
from chat.care.http import add_care
from chat.errors import NOT_FOUND, SERVER_ERROR, Refusal, refusal_of
from chat.protocol.texts import HALF_SURROGATE

from . import texts

logger = logging.getLogger(__name__)

#: Codes of the errors that ninja itself raises, by HTTP status.
_CODES = {400: "bad_json", 401: "unauthorized", 403: "csrf_failed", 404: "not_found", 429: "too_many"}


def problem(
    status: int, code: str, detail: str, *, field: str = "", retry_after: float | None = None
) -> HttpResponse:
    """Return a problem document. `retry_after` is in seconds and also becomes the header."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if field:
        body["field"] = field
    response = HttpResponse(status=status, content_type="application/problem+json")
    if retry_after is not None:
        body["retryAfter"] = retry_after
        response["Retry-After"] = str(max(1, ceil(retry_after)))
    response.content = json.dumps(body, ensure_ascii=False)
    return response


def install(api: NinjaAPI) -> None:
    """Make `api` answer every exception with a problem."""
    for exception, answer in _ANSWERS.items():
        api.add_exception_handler(exception, _handler(answer))


def _handler(answer: Callable[[Any], HttpResponse]) -> Callable[[HttpRequest, Any], HttpResponse]:
    # A refused message may still be a call for help.
    return lambda request, exc: add_care(request, answer(exc))


def _of_refusal(refusal: Refusal) -> HttpResponse:
    return problem(
        refusal.status, refusal.code, refusal.message, field=refusal.field, retry_after=refusal.retry_after
    )


def _not_found(_exc: Exception) -> HttpResponse:
    return _of_refusal(NOT_FOUND)


def _invalid(exc: ValidationError) -> HttpResponse:
    first = exc.errors[0]
    source, *path = first["loc"]
    if source == "path":  # an address that cannot exist
        return _not_found(exc)
    # A body's path begins with our parameter's name, which clients do not know.
    field = ".".join(str(part) for part in (path[1:] if source == "body" else path))
    detail = HALF_SURROGATE if first["type"] == "string_unicode" else f"{first['msg']}."
    return problem(422, "invalid", detail, field=field)


def _token_refused(exc: TokenRefused) -> HttpResponse:
    answer = problem(exc.status, exc.error, exc.message)
    answer["WWW-Authenticate"] = exc.challenge
    return answer


def _bad_form(_exc: Exception) -> HttpResponse:
    return problem(400, "bad_form", texts.INVALID_FORM)


def _any_other(exc: Exception) -> HttpResponse:
    refusal = refusal_of(exc)
    if refusal is None:
        logger.error("an API call failed", exc_info=exc)
    return _of_refusal(refusal or SERVER_ERROR)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses. For a wrong name of the host, say what its operator can do."""
    if isinstance(exception, DisallowedHost):
        return HttpResponse(f"{texts.UNKNOWN_HOST}\n", status=400, content_type="text/plain; charset=utf-8")
    return default_bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected error outside the API with its page, or 503 if the database is unavailable."""
    exc = sys.exc_info()[1]
    refusal = refusal_of(exc) if isinstance(exc, DatabaseError) else None
    if refusal is None:
        return default_server_error(request)
    logger.warning("%s was answered with 503: %s", request.path, exc)
    if request.path_info.startswith("/api/"):  # a middleware raised
        response = _of_refusal(refusal)
    else:
        page = loader.get_template("503.html").render()  # without the request: its user is in the database
        response = HttpResponse(page, status=refusal.status, headers={"Retry-After": "3"})
    response._has_been_logged = True  # Django would log a traceback for each
    return response


_ANSWERS: dict[type[Exception], Callable[[Any], HttpResponse]] = {
    ValidationError: _invalid,
    TokenRefused: _token_refused,
    Http404: _not_found,
    RequestDataTooBig: lambda _exc: problem(413, "too_large", texts.BODY_TOO_LARGE),
    **dict.fromkeys((MultiPartParserError, BadRequest, SuspiciousOperation), _bad_form),
    HttpError: lambda exc: problem(exc.status_code, _CODES.get(exc.status_code, "error"), str(exc)),
    Exception: _any_other,
}


async def no_such_address(_request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer every other address below /api/ with a problem."""
    return _not_found(Http404())


no_such_address.csrf_exempt = True  # type: ignore[attr-defined]


def with_problem_405(urls: tuple[list[Any], str, str]) -> tuple[list[Any], str, str]:
    """Return `api.urls` with problems for wrong methods, which ninja itself answers in plain text."""
    for pattern in urls[0]:
        if isinstance(pattern, URLPattern) and hasattr(pattern.callback, "csrf_exempt"):
            pattern.callback = _with_problem_405(pattern.callback)
    return urls


def _with_problem_405(view: Any) -> Any:
    run = view if iscoroutinefunction(view) else sync_to_async(view)

    @wraps(view)  # also copies `csrf_exempt`: the API's auth checks the token
    async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = await run(request, *args, **kwargs)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        answer = problem(405, "method_not_allowed", texts.method_not_allowed(response["Allow"]))
        answer["Allow"] = response["Allow"]
        return answer

    return wrapped
