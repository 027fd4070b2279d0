"""The public parts of the API: companions, queue status, its own description, and errors."""

import uuid
from typing import Any

import pytest
from django.test import AsyncClient

from chat.accounts.access.sessions.store import SessionStore
from chat.http.queue_status import FailAt

from .visitor import problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_companion_list_is_public_and_creates_no_session():
    client = AsyncClient()
    response = await client.get("/api/companions")
    assert [c["id"] for c in response.json()["companions"]] == ["corporate", "travel", "emotional", "culture"]
    assert not client.cookies


async def test_queue_status_has_no_contents(alice):
    await alice.ask("a secret question")
    status = await alice.call("GET", "/api/queue/status")
    chat = next(q for q in status.json()["queues"] if q["name"] == "openai-chat")
    assert chat["waiting"] == 1
    assert "secret" not in status.content.decode()


async def test_queue_status_is_a_health_check_with_reasons(alice):
    """Nothing runs here: that is critical. The text of a reason is for operators."""
    status = await alice.call("GET", "/api/queue/status")
    found = status.json()
    assert (status.status_code, found["healthy"], found["health"]) == (200, False, "critical")
    assert {"level": "critical", "code": "no_workers", "queue": ""} in found["reasons"]
    for fail_at in ("warning", "critical"):
        failed = await alice.call("GET", f"/api/queue/status?failAt={fail_at}")
        assert (failed.status_code, failed.json()["healthy"]) == (503, False)
    assert (await alice.call("GET", "/api/queue/status?failAt=never")).status_code == 200
    problem(await alice.call("GET", "/api/queue/status?failAt=often"), 422, "invalid", "failAt")


def test_check_fails_at_its_level_and_at_worse_ones():
    fails = {
        (at, health): FailAt(at).fails(health) for at in FailAt for health in ("ok", "warning", "critical")
    }
    assert {key for key, failed in fails.items() if failed} == {
        ("warning", "warning"),
        ("warning", "critical"),
        ("critical", "critical"),
    }


async def test_unknown_address_is_a_problem(alice):
    for path in ("/api/nothing", "/api/jobs", "/api/travel/more"):
        problem(await alice.call("GET", path), 404, "not_found")


async def test_wrong_method_is_a_problem_that_names_the_allowed_ones(alice):
    response = await alice.call("PUT", "/api/travel", {})
    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


async def test_unreadable_form_is_a_client_error():
    response = await AsyncClient().post("/api/audio", b"x", content_type="multipart/form-data")
    problem(response, 400, "bad_form")


async def test_json_string_is_not_accepted_as_an_object(alice):
    asked = await alice.ask()
    response = await alice.call("PATCH", f"/api/threads/{asked['threadId']}", '"abc"')
    assert response.json()["code"] == "invalid"


async def test_api_publishes_its_openapi_file():
    client = AsyncClient()
    schema = (await client.get("/api/openapi.json")).json()
    assert "/api/travel" in schema["paths"]
    assert "threadId" in schema["components"]["schemas"]["QuestionIn"]["properties"]
    ways = schema["paths"]["/api/travel"]["post"]["security"]
    assert ways == [{"token": []}, {"session": [], "csrf": []}, {}]
    refusal = schema["components"]["responses"]["TooManyRequests"]
    assert refusal["content"]["application/problem+json"]["example"]["retryAfter"] == 12
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "https://" not in page.content.decode(), "every file of the page is ours"


async def test_page_sets_a_session_and_a_csrf_token_for_any_thread():
    client = AsyncClient()
    for path in ("/", f"/t/{uuid.uuid4().hex}"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "no-store" in page["Cache-Control"]
    assert {"sessionid", "csrftoken"} <= set(client.cookies)
    assert (await client.get("/t/nonsense")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/threads",
        "/api/usage",
        "/api/queue/status",
        "/api/threads/" + "0" * 32,
        "/api/jobs/" + "0" * 32 + "/events",
        "/api/no-such-address",
        "/account/",
        "/account/export/",
        "/account/sign-in/",
        "/admin/",
        "/care",
        "/healthz",
    ],
)
async def test_answers_are_stored_in_no_cache(path):
    """Not by a proxy, and not for the back button after signing out (S8)."""
    response = await AsyncClient().get(path)
    directives = {part.strip() for part in response["Cache-Control"].split(",")}
    assert {"no-store", "private"} <= directives


@pytest.mark.parametrize("path", ["/", "/api/threads", "/api/usage", "/account/", "/admin/"])
async def test_unexpected_error_tells_its_client_nothing_and_the_log_everything(path, monkeypatch, caplog):
    """ASVS 16.5.1."""

    def broken(*_: Any) -> None:
        raise ValueError("zq-secret of /etc/buddy")

    client = AsyncClient(raise_request_exception=False)
    await client.get("/")
    for name in ("load", "aload"):
        monkeypatch.setattr(SessionStore, name, broken)
    answer = await client.get(path)
    assert answer.status_code == 500
    for said in (b"zq-secret", b"Traceback", b"ValueError", b"/etc/buddy", b".py"):
        assert said not in answer.content
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert "zq-secret" in caplog.text
