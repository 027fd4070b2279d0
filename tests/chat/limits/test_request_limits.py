"""Rate limits as clients see them: headers, problem documents and events."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat import limits
from chat.errors import LimitReached
from tests.chat.browser import browser

from .rate_limits import HOME, set_limits

pytestmark = pytest.mark.django_db(transaction=True)


def post(client, **body):
    return client.post("/api/travel", {"message": "Where to?"} | body, content_type="application/json")


def test_held_message_has_a_reason_and_refused_one_a_time(settings, valkey):
    set_limits(settings, max_wait=60, anonymous="1/minute", address="9/minute")
    client = Client()
    first = post(client)
    assert first.status_code == 202, first.content
    held = post(client).json()
    assert (held["status"], held["position"]) == ("queued", None)
    wait = held["estimatedWait"]
    assert 59 <= wait["low"] == wait["high"] <= 60
    assert (wait["reason"], wait["place"], wait["of"]) == ("rate_limit", 1, 1)
    refused = post(client)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 59 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["retryAfter"] > 0
    assert "You have sent many messages" in refused.json()["detail"]


def test_forwarded_address_counts_only_from_a_trusted_proxy(settings, valkey):
    set_limits(settings, max_wait=0, address="2/minute")

    def status(forwarded):
        return Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert [post(status(f"192.0.2.{n}")).status_code for n in range(3)] == [202, 202, 429]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert [post(status(f"8.8.8.8, 192.0.2.{n}")).status_code for n in (1, 2, 2, 2)] == [202, 202, 202, 429]


def test_request_over_the_limit_is_429_and_creates_no_session(settings, valkey):
    set_limits(settings, requests="3/minute")
    answers = [Client().get("/api/threads") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert "Retry-After" in answers[-1]
    assert "sessionid" not in answers[-1].cookies
    assert post(Client()).status_code == 429, "every request counts"


def test_sign_in_attempts_count_by_address(settings, valkey):
    set_limits(settings, login="3/minute")
    for _ in range(3):
        limits.check("login", HOME)
    with pytest.raises(LimitReached) as refused:
        limits.check("login", HOME)
    assert 58 <= refused.value.retry_after <= 60
    limits.check("login", "192.0.2.2")


def test_user_has_the_limit_of_users(settings, valkey):
    set_limits(settings, max_wait=0, anonymous="1/minute", user="2/minute")
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    assert [post(client).status_code for _ in range(3)] == [202, 202, 429]


async def test_socket_gets_the_place_of_held_messages_and_its_changes(settings, valkey):
    set_limits(settings, max_wait=100, anonymous="1 per 50 seconds")
    async with browser() as alice:
        tab = await alice.open()
        for number in range(3):
            await tab.ask(f"Question {number}", f"r-{number}")
        queued = {}
        while len(queued) < 3:
            event = await tab.receive_event()
            if event["type"] == "chat:queued":
                queued[event["requestId"]] = event
        waits = [queued[f"r-{number}"]["estimatedWait"] for number in (1, 2)]
        assert [(wait["reason"], wait["place"]) for wait in waits] == [("rate_limit", 1), ("rate_limit", 2)]
        assert [round(wait["low"] / 50) for wait in waits] == [1, 2]
        await tab.send_message(type="job:cancel", jobId=queued["r-1"]["jobId"])
        while not (event["type"] == "chat:position" and event["requestId"] == "r-2" and
                   event["estimatedWait"].get("of") == 1):  # fmt: skip
            event = await tab.receive_event()
        assert event["estimatedWait"]["place"] == 1

        again = await alice.open()
        await again.send_message(type="job:watch", jobId=queued["r-2"]["jobId"])
        wait = (await again.receive_until("chat:position"))[-1]["estimatedWait"]
        assert (wait["reason"], wait["place"], wait["of"]) == ("rate_limit", 1, 1)

        await tab.ask("One too many", "r-9")
        rejected = (await tab.receive_until("chat:rejected"))[-1]
        assert (rejected["code"], rejected["requestId"]) == ("rate_limited", "r-9")
        assert rejected["retryAfter"] > 0
