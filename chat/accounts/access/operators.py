"""Who may see the machines: host names, processes, memory and versions. All others get counts."""

from hmac import compare_digest

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest


async def is_operator(request: HttpRequest) -> bool:
    """Return whether a request has METRICS_TOKEN or is of signed-in staff."""
    return _has_token(request) or await _is_staff(request)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    same = compare_digest(token.strip().encode(), wanted.encode())
    return bool(wanted) and scheme.lower() == "bearer" and same


async def _is_staff(request: HttpRequest) -> bool:
    try:
        return bool((await request.auser()).is_staff)
    except DatabaseError:  # sessions are in the database
        return False
