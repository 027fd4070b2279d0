"""Questions to a companion over HTTP, as docs/protocol.md describes."""

from typing import Any

import pytest

from chat.models import Message, Role, Thread
from queueing.api import Job
from queueing.testing import rejecting

from .visitor import problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_question_is_accepted_with_its_position(alice):
    first = await alice.ask(requestId="r-1")
    second = await alice.ask("And when?", requestId="r-2", threadId=first["threadId"])
    assert set(first) == {
        "jobId", "requestId", "threadId", "messageId", "replyId", "queue", "status", "position",
        "estimatedWait",
    }  # fmt: skip
    assert (first["status"], first["queue"], first["requestId"]) == ("queued", "openai-chat", "r-1")
    assert (first["position"], second["position"]) == (1, None)
    assert second["estimatedWait"]["reason"] == "previous_message", (
        "a thread's questions are answered one by one"
    )
    assert len(first["jobId"]) == 32
    assert second["threadId"] == first["threadId"]


async def test_repeated_request_id_gets_the_same_answer(alice):
    assert await alice.ask(requestId="r-1") == await alice.ask(requestId="r-1")
    assert await Job.objects.acount() == 1


async def test_message_list_asks_with_its_last_message(alice):
    turns = [{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Hi there"}]
    response = await alice.call("POST", "/api/corporate", {"messages": turns})
    assert response.status_code == 202
    question = await Message.objects.aget(role=Role.USER)
    assert question.content == "Hi there"


@pytest.mark.parametrize("companion", ["corporate", "travel", "emotional", "culture"])
async def test_each_companion_has_an_endpoint(alice, companion):
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
        ({"message": "x", "threadId": "non sense"}, "threadId"),
        ({"message": "x", "assistantId": "asst_1"}, "assistantId"),
        ({"message": "x", "assistantId": "culture"}, "assistantId"),
    ],
)
async def test_invalid_body_is_refused_with_its_field(alice, body, field):
    problem(await alice.call("POST", "/api/travel", body), 422, "invalid", field)
    assert not await Job.objects.aexists()


@pytest.mark.parametrize("body", ["{", "", "[]", "7"])
async def test_body_that_is_no_json_object_is_refused(alice, body):
    response = await alice.call("POST", "/api/travel", body)
    assert response.json()["code"] in ("bad_json", "invalid")
    assert response.status_code in (400, 422)


async def test_body_over_the_size_limit_is_refused(alice, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(await alice.call("POST", "/api/travel", {"message": "x" * 2000}), 413, "too_large")


@pytest.mark.parametrize(("code", "status"), [("queue_full", 503), ("owner_limit", 429)])
async def test_full_queue_is_refused_with_retry_after(alice, code, status):
    with rejecting(code, retry_after=7.2):
        response = await alice.call("POST", "/api/travel", {"message": "x"})
    assert problem(response, status, code)["retryAfter"] == 7.2
    assert response["Retry-After"] == "8"


async def test_question_without_redis_is_accepted(alice, valkey):
    await alice.ask()  # the session is made while Redis is there
    valkey.stop()
    answer = await alice.ask(requestId="r-2")
    assert (answer["position"], answer["estimatedWait"]["reason"]) == (None, "redis")
    assert await Job.objects.acount() == 2


async def test_unexpected_error_is_reported_without_details(alice, monkeypatch):
    def breaks(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("chat.intake.submit_question", breaks)
    response = await alice.call("POST", "/api/travel", {"message": "x"})
    assert "secret" not in str(problem(response, 500, "server_error"))
