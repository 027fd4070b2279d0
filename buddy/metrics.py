"""/metrics, for Prometheus. docs/metrics.md describes the metrics and how to scrape them."""

from hmac import compare_digest

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from queueing.api import monitoring
from queueing.api.sockets import in_thread


async def metrics(request: HttpRequest) -> HttpResponse:
    """Return counts and durations of all queues to clients with METRICS_TOKEN and to signed-in staff."""
    if not (_has_token(request) or await _is_staff(request)):
        text = "Send METRICS_TOKEN as 'Authorization: Bearer …', or sign in as staff.\n"
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")
    try:
        seen = await monitoring.queue_health()
        text = await in_thread(monitoring.metrics_text)(seen)
    except DatabaseError:
        return HttpResponse(
            "The database is unavailable.\n", status=503, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


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
