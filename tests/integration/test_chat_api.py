"""The HTTP API as docs/protocol.md gives it, over the whole middleware. Alice asks; Bob pries."""

import json
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat.models import Message, Role, Thread
from queueing.errors import Rejected
from queueing.models import Job
from queueing.states import State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


class Visitor:
    """A browser's session with its token, talking JSON."""

    def __init__(self) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True)

    async def call(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        if token := self.client.cookies.get("csrftoken"):
            headers = {"X-CSRFToken": token.value} | headers
        body = data if isinstance(data, bytes | str) else json.dumps(data)
        return await self.client.generic(
            method, path, body if data is not None else b"", content_type="application/json", headers=headers
        )

    async def ask(self, text: str = "Where to?", companion: str = "travel", **more: Any) -> Any:
        response = await self.call("POST", f"/api/{companion}", {"message": text} | more)
        assert response.status_code == 202, response.content
        return response.json()


@pytest.fixture
def alice() -> Visitor:
    return Visitor()


@pytest.fixture
def bob() -> Visitor:
    return Visitor()


def problem(response: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The response's problem, which must be this one."""
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"], body.get("field")) == (
        status,
        status,
        code,
        field,
    )
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"].endswith(".")
    return body


# --- asking ---------------------------------------------------------------------------------------


async def test_a_question_is_accepted_with_its_place_in_line(alice):
    first = await alice.ask(requestId="r-1")
    second = await alice.ask("And when?", requestId="r-2", threadId=first["threadId"])
    assert set(first) == {
        "jobId", "requestId", "threadId", "messageId", "replyId", "queue", "status", "position",
        "estimatedWait",
    }  # fmt: skip
    assert (first["status"], first["queue"], first["requestId"]) == ("queued", "openai-chat", "r-1")
    assert (first["position"], second["position"]) == (1, None)
    assert second["estimatedWait"]["reason"] == "turn", "a thread's questions are answered one by one"
    assert len(first["jobId"]) == 32
    assert second["threadId"] == first["threadId"]


async def test_the_same_request_id_again_is_answered_the_same(alice):
    assert await alice.ask(requestId="r-1") == await alice.ask(requestId="r-1")
    assert await Job.objects.acount() == 1


async def test_a_list_of_messages_asks_with_its_last(alice):
    turns = [{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Hi there"}]
    response = await alice.call("POST", "/api/corporate", {"messages": turns})
    assert response.status_code == 202
    question = await Message.objects.aget(role=Role.USER)
    assert question.content == "Hi there"


@pytest.mark.parametrize("companion", ["corporate", "travel", "emotional", "culture"])
async def test_each_companion_has_its_address(alice, companion):
    await alice.ask(companion=companion, assistantId=companion)
    assert (await Thread.objects.aget()).companion == companion


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": " "}, "message"),
        ({"message": "x" * 400_001}, "message"),
        ({"message": 7}, "message"),
        ({"message": "x", "messages": [{"role": "user", "content": "x"}]}, "message"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"message": "x", "requestId": "no spaces"}, "requestId"),
        ({"message": "x", "threadId": "nonsense"}, "threadId"),
        ({"message": "x", "assistantId": "asst_1"}, "assistantId"),
        ({"message": "x", "assistantId": "culture"}, "assistantId"),
    ],
)
async def test_a_wrong_body_is_refused_by_field(alice, body, field):
    problem(await alice.call("POST", "/api/travel", body), 422, "invalid", field)
    assert not await Job.objects.aexists()


@pytest.mark.parametrize("body", ["{", "", "[]", "7"])
async def test_a_body_that_is_no_json_object_is_refused(alice, body):
    response = await alice.call("POST", "/api/travel", body)
    assert response.json()["code"] in ("bad_json", "invalid")
    assert response.status_code in (400, 422)


async def test_a_body_that_is_too_large_is_refused(alice, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(await alice.call("POST", "/api/travel", {"message": "x" * 2000}), 413, "too_large")


@pytest.mark.parametrize(("code", "status"), [("queue_full", 503), ("owner_limit", 429)])
async def test_a_rejection_says_when_to_come_back(alice, monkeypatch, code, status):
    def rejects(*_args: Any) -> None:
        raise Rejected(code, "Not now.", 7.2)

    monkeypatch.setattr("queueing.pressure.admit", rejects)
    response = await alice.call("POST", "/api/travel", {"message": "x"})
    assert problem(response, status, code)["retryAfter"] == 7.2
    assert response["Retry-After"] == "8"


async def test_a_queue_without_redis_still_accepts(alice, valkey):
    await alice.ask()  # the session is made while Redis is there
    valkey.stop()
    answer = await alice.ask(requestId="r-2")
    assert (answer["position"], answer["estimatedWait"]["reason"]) == (None, "redis")
    assert await Job.objects.acount() == 2


async def test_what_breaks_is_told_without_details(alice, monkeypatch):
    def breaks(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("chat.services.ask", breaks)
    response = await alice.call("POST", "/api/travel", {"message": "x"})
    assert "secret" not in str(problem(response, 500, "server_error"))


# --- who may ---------------------------------------------------------------------------------------


async def test_a_script_without_cookies_may_ask_and_is_given_a_session():
    client = AsyncClient(enforce_csrf_checks=True)
    response = await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    assert response.status_code == 202
    assert {"sessionid", "csrftoken"} <= set(client.cookies)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_sites_page_cannot_ask(origin):
    client = AsyncClient(enforce_csrf_checks=True)
    response = await client.post(
        "/api/travel", {"message": "Hi"}, content_type="application/json", headers={"Origin": origin}
    )
    problem(response, 403, "csrf_failed")
    assert not client.cookies


async def test_a_session_needs_its_token(alice):
    asked = await alice.ask()
    problem(
        await alice.call("POST", "/api/travel", {"message": "x"}, **{"X-CSRFToken": "wrong"}),
        403,
        "csrf_failed",
    )
    job = f"/api/jobs/{asked['jobId']}"
    problem(await alice.call("DELETE", job, **{"X-CSRFToken": ""}), 403, "csrf_failed")


async def test_a_made_up_session_key_is_nobody(alice):
    alice.client.cookies["sessionid"] = "a" * 32
    response = await alice.call("GET", "/api/threads")
    assert response.cookies["sessionid"].value != "a" * 32


async def test_bob_finds_nothing_of_alices(alice, bob):
    asked = await alice.ask()
    await bob.ask()
    for method, path in [
        ("GET", f"/api/jobs/{asked['jobId']}"),
        ("DELETE", f"/api/jobs/{asked['jobId']}"),
        ("POST", f"/api/jobs/{asked['jobId']}/retry"),
        ("GET", f"/api/jobs/{asked['jobId']}/events"),
        ("GET", f"/api/threads/{asked['threadId']}"),
        ("DELETE", f"/api/threads/{asked['threadId']}"),
        ("GET", f"/api/threads?before={asked['threadId']}"),
    ]:
        problem(await bob.call(method, path), 404, "not_found")
    rename = await bob.call("PATCH", f"/api/threads/{asked['threadId']}", {"title": "mine"})
    problem(rename, 404, "not_found")
    ask = await bob.call("POST", "/api/travel", {"message": "x", "threadId": asked["threadId"]})
    problem(ask, 404, "not_found")
    assert (await Job.objects.aget(id=asked["jobId"])).state == State.WAITING


async def test_a_user_is_the_same_on_every_device(django_user_model):
    user = await sync_to_async(django_user_model.objects.create_user)("alice")
    laptop, phone = Visitor(), Visitor()
    for device in (laptop, phone):
        await device.client.aforce_login(user)
        await device.call("GET", "/")
    asked = await laptop.ask()
    assert (await phone.call("GET", f"/api/jobs/{asked['jobId']}")).status_code == 200


# --- jobs ------------------------------------------------------------------------------------------


async def test_a_job_is_shown_as_it_stands(alice):
    asked = await alice.ask(requestId="r-1")
    job = (await alice.call("GET", f"/api/jobs/{asked['jobId']}")).json()
    assert job["createdAt"].endswith("Z")
    del job["createdAt"]
    assert job == {
        "jobId": asked["jobId"],
        "requestId": "r-1",
        "threadId": asked["threadId"],
        "kind": "chat.reply",
        "queue": "openai-chat",
        "status": "waiting",
        "position": 1,
        "estimatedWait": asked["estimatedWait"],
        "attempt": 0,
        "of": 3,
        "startedAt": None,
        "finishedAt": None,
    }


async def test_a_cancelled_job_can_be_retried(alice):
    path = f"/api/jobs/{(await alice.ask())['jobId']}"
    cancelled = await alice.call("DELETE", path)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await alice.call("DELETE", path)).status_code == 200
    retried = await alice.call("POST", f"{path}/retry")
    assert (retried.status_code, retried.json()["status"], retried.json()["position"]) == (202, "waiting", 1)
    problem(await alice.call("POST", f"{path}/retry"), 409, "wrong_state")


@pytest.mark.parametrize("job_id", ["nonsense", "0" * 32])
async def test_a_job_that_is_not_there_is_not_found(alice, job_id):
    problem(await alice.call("GET", f"/api/jobs/{job_id}"), 404, "not_found")


async def test_an_event_id_that_is_not_ours_is_refused(alice):
    path = f"/api/jobs/{(await alice.ask())['jobId']}/events"
    problem(await alice.call("GET", path, **{"Last-Event-ID": "x"}), 422, "invalid", "Last-Event-ID")


# --- threads ---------------------------------------------------------------------------------------


async def test_a_thread_is_listed_read_renamed_and_deleted(alice):
    asked = await alice.ask("Where *to*?", requestId="r-1")
    path = f"/api/threads/{asked['threadId']}"
    (listed,) = (await alice.call("GET", "/api/threads")).json()["threads"]
    assert (listed["id"], listed["title"], listed["companion"]) == (
        asked["threadId"],
        "Where *to*?",
        "travel",
    )

    thread = (await alice.call("GET", path)).json()
    question, reply = thread["messages"]
    assert (question["role"], question["content"], question["requestId"]) == ("user", "Where *to*?", "r-1")
    assert "html" not in question
    assert (reply["id"], reply["status"], reply["jobId"]) == (asked["replyId"], "waiting", asked["jobId"])
    assert "error" not in reply

    renamed = await alice.call("PATCH", path, {"title": "Lisbon"})
    assert renamed.json()["title"] == "Lisbon"
    problem(await alice.call("PATCH", path, {"title": ""}), 422, "invalid", "title")
    deleted = await alice.call("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(await alice.call("GET", path), 404, "not_found")
    assert (await Job.objects.aget()).state == State.CANCELLED


# --- the rest --------------------------------------------------------------------------------------


async def test_the_companions_are_public_and_make_no_session():
    client = AsyncClient()
    response = await client.get("/api/companions")
    assert [c["id"] for c in response.json()["companions"]] == ["corporate", "travel", "emotional", "culture"]
    assert not client.cookies


async def test_the_queues_are_shown_without_contents(alice):
    await alice.ask("a secret question")
    status = await alice.call("GET", "/api/queue/status")
    chat = next(q for q in status.json()["queues"] if q["name"] == "openai-chat")
    assert chat["waiting"] == 1
    assert "secret" not in status.content.decode()


async def test_an_address_that_is_not_there_is_a_problem(alice):
    for path in ("/api/nothing", "/api/jobs", "/api/travel/more"):
        problem(await alice.call("GET", path), 404, "not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(alice):
    response = await alice.call("PUT", "/api/travel", {})
    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


async def test_the_api_describes_itself():
    client = AsyncClient()
    schema = (await client.get("/api/openapi.json")).json()
    assert "/api/travel" in schema["paths"]
    assert "threadId" in schema["components"]["schemas"]["AskIn"]["properties"]
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "https://" not in page.content.decode(), "every file of the page is ours"


async def test_the_page_gives_a_session_and_a_token_for_any_thread():
    client = AsyncClient()
    for path in ("/", f"/t/{uuid.uuid4().hex}"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "no-store" in page["Cache-Control"]
    assert {"sessionid", "csrftoken"} <= set(client.cookies)
    assert (await client.get("/t/nonsense")).status_code == 404
