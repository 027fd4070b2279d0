"""Who may see the machines: host names, processes, memory and versions. All others get counts."""

from hmac import compare_digest

from django.conf import settings
from django.contrib import admin
from django.db import DatabaseError
from django.http import HttpRequest

from queueing.api.sockets import in_thread

from . import tokens
from .sessions.store import is_of_visitor
from .tries import tries


async def is_operator(request: HttpRequest) -> bool:
    """Return whether a request has METRICS_TOKEN or is of signed-in staff.

    Raise `LimitReached` after too many wrong tokens.
    """
    return await _has_token(request) or await _is_staff(request)


async def _has_token(request: HttpRequest) -> bool:
    token = tokens.secret_in_header(request.headers.get("Authorization", ""))
    if token is None or not settings.METRICS_TOKEN:
        return False
    if tokens.SECRET.fullmatch(token):  # an API token is no guess of the other
        return _is_metrics_token(token)
    attempt = await in_thread(tries.begin)("metrics_token")
    correct = _is_metrics_token(token)
    await in_thread(attempt.succeeded if correct else attempt.failed)()
    return correct


def _is_metrics_token(token: str) -> bool:
    return compare_digest(token.encode(errors="replace"), settings.METRICS_TOKEN.encode())


async def _is_staff(request: HttpRequest) -> bool:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or is_of_visitor(key):  # signing in gives a browser another kind of key
        return False
    try:
        return bool(await in_thread(admin.site.has_permission)(request))
    except DatabaseError:  # sessions are in the database
        return False
