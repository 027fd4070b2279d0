"""Sessions and tokens; Bob must not reach what belongs to Alice."""

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from queueing.api import Job, State

from .visitor import Visitor, problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def bob() -> Visitor:
    return Visitor()


async def test_client_without_cookies_can_ask_and_gets_a_session():
    client = AsyncClient(enforce_csrf_checks=True)
    response = await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    assert response.status_code == 202
    assert {"sessionid", "csrftoken"} <= set(client.cookies)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_question_from_another_origin_is_refused(origin):
    client = AsyncClient(enforce_csrf_checks=True)
    response = await client.post(
        "/api/travel", {"message": "Hi"}, content_type="application/json", headers={"Origin": origin}
    )
    problem(response, 403, "csrf_failed")
    assert not client.cookies


async def test_session_without_csrf_token_is_refused(alice):
    asked = await alice.ask()
    problem(
        await alice.call("POST", "/api/travel", {"message": "x"}, **{"X-CSRFToken": "wrong"}),
        403,
        "csrf_failed",
    )
    job = f"/api/jobs/{asked['jobId']}"
    problem(await alice.call("DELETE", job, **{"X-CSRFToken": ""}), 403, "csrf_failed")


async def test_invented_session_key_is_replaced(alice):
    alice.client.cookies["sessionid"] = "a" * 32
    response = await alice.call("GET", "/api/threads")
    assert response.cookies["sessionid"].value != "a" * 32


async def test_other_visitor_finds_no_object_of_the_owner(alice, bob):
    asked = await alice.ask()
    await bob.ask()
    for method, path in [
        ("GET", f"/api/jobs/{asked['jobId']}"),
        ("DELETE", f"/api/jobs/{asked['jobId']}"),
        ("POST", f"/api/jobs/{asked['jobId']}/retry"),
        ("GET", f"/api/jobs/{asked['jobId']}/events"),
        ("GET", f"/api/threads/{asked['threadId']}"),
        ("GET", f"/api/threads/{asked['threadId']}/transcript.md"),
        ("DELETE", f"/api/threads/{asked['threadId']}"),
        ("GET", f"/api/threads?before={asked['threadId']}"),
    ]:
        problem(await bob.call(method, path), 404, "not_found")
    rename = await bob.call("PATCH", f"/api/threads/{asked['threadId']}", {"title": "mine"})
    problem(rename, 404, "not_found")
    ask = await bob.call("POST", "/api/travel", {"message": "x", "threadId": asked["threadId"]})
    problem(ask, 404, "not_found")
    assert (await Job.objects.aget(id=asked["jobId"])).state == State.WAITING


async def test_user_has_the_same_threads_on_every_device(django_user_model):
    user = await sync_to_async(django_user_model.objects.create_user)("alice")
    laptop, phone = Visitor(), Visitor()
    for device in (laptop, phone):
        await device.client.aforce_login(user)
        await device.call("GET", "/")
    asked = await laptop.ask()
    assert (await phone.call("GET", f"/api/jobs/{asked['jobId']}")).status_code == 200
