"""/metrics, for Prometheus. docs/metrics.md describes the metrics and how to scrape them."""

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from chat.accounts.access.operators import is_operator
from queueing.api import monitoring
from queueing.api.metrics import metrics_text
from queueing.api.sockets import in_thread


async def metrics(request: HttpRequest) -> HttpResponse:
    """Return counts and durations of all queues to clients with METRICS_TOKEN and to signed-in staff."""
    if not await is_operator(request):
        way_in = "Send METRICS_TOKEN as 'Authorization: Bearer …', or sign in as staff.\n"
        return HttpResponse(way_in, status=403, content_type="text/plain; charset=utf-8")
    try:
        seen = await monitoring.queue_health()
        text = await in_thread(metrics_text)(seen)
    except DatabaseError:
        return HttpResponse(
            "The database is unavailable.\n", status=503, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
