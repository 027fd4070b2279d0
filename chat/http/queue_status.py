"""`GET /api/queue/status`: read a few times a second, and kept as the bytes that all who ask get."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import NinjaJSONEncoder

from chat import limits
from chat.accounts.access.operators import is_operator
from chat.answer_cache import store as answers
from chat.limits.addresses import client_address
from chat.protocol.openapi import errors
from queueing.api import monitoring

from .shared_reading import SharedReading

router = Router(tags=["queue"])


class FailAt(StrEnum):
    """From which level of health on a health check answers 503."""

    NEVER = "never"
    WARNING = "warning"
    CRITICAL = "critical"

    def fails(self, health: str) -> bool:
        """Return whether a health of `ok`, `warning` or `critical` fails the check."""
        return self == health or (self == FailAt.WARNING and health == "critical")


@dataclass(frozen=True)
class _QueueStatus:
    """The state of the queues as JSON, with the machines and without."""

    health: str
    of_operators: bytes
    of_all: bytes


@router.get(
    "/queue/status",
    response={200: dict[str, Any], 503: dict[str, Any]} | errors(422),
    auth=None,
)
async def get_queue_status(
    request: HttpRequest, fail_at: Annotated[FailAt, Query(alias="failAt")] = FailAt.NEVER
) -> HttpResponse:
    """Return the health of the queues, their counts, pressure and workers. No contents, no owners.

    With `failAt=critical` or `failAt=warning` the answer is 503 while there is a problem of this level or a
    worse one. Only staff and clients with METRICS_TOKEN see what the problems are in words, and the machines:
    hosts, processes, memory and versions.
    """
    await limits.acheck("requests", client_address(request))
    status = await _latest.get()
    body = status.of_operators if await is_operator(request) else status.of_all
    code = 503 if fail_at.fails(status.health) else 200
    return HttpResponse(body, status=code, content_type="application/json; charset=utf-8")


async def _read() -> _QueueStatus:
    health, statistics = await asyncio.gather(
        monitoring.queue_health(), asyncio.to_thread(answers.statistics)
    )
    reasons = health.pop("warnings")
    del health["server"]
    status = health | {"healthy": not reasons, "reasons": reasons, "answers": statistics}
    return _QueueStatus(status["health"], _json(status), _json(monitoring.without_machines(status)))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, cls=NinjaJSONEncoder).encode()


_latest = SharedReading(_read, seconds=0.25)
