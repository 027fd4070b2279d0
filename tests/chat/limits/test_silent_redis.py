"""A Redis that accepts connections and answers nothing (E18): a visitor waits once for everything."""

import time

import pytest
from django.test import Client

from chat.limits import check
from queueing.models import Job
from queueing.schedule.connections import CALL_TIMEOUT
from tests.support.proxy import Proxy

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_redis_without_answers_delays_one_request(proxy: Proxy, settings):
    """Sessions, rate limits, the answer cache, the line and its events are asked in each request."""
    settings.LIMITS = settings.LIMITS | {"requests": "100/minute", "login": "100/minute"}
    settings.ANSWER_CACHE_SECONDS = 100
    client = Client()
    body = {"message": "Where to?"}
    assert client.post("/api/travel", body, content_type="application/json").status_code == 202
    proxy.hang()
    began = time.monotonic()
    answers = [client.post("/api/travel", body, content_type="application/json") for _ in range(5)]
    for _ in range(10):
        check("login", "192.0.2.1")
    assert client.get("/api/queue/status").json()["redis"] != "ok"
    assert client.get("/readyz").status_code == 503
    assert [answer.status_code for answer in answers] == [202] * 5
    assert time.monotonic() - began < 2 * CALL_TIMEOUT + 2, "one wait, and not one for each of forty calls"
    assert Job.objects.count() == 6
