"""A job's events over HTTP: the same as the socket's, resumable from every position."""

import json

import pytest
from django.test import AsyncClient

from chat.protocol import sse
from queueing.api import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TEXT = "One two three four five six seven, éight 🙂 nine and ten."


async def ask(client: AsyncClient) -> str:
    response = await client.post("/api/culture", {"message": "Hi"}, content_type="application/json")
    return response.json()["jobId"]


async def frames(client: AsyncClient, job_id: str, query: str = "", **headers: str) -> list[dict[str, str]]:
    """Return all frames of the stream, with comments under an empty key."""
    response = await client.get(f"/api/jobs/{job_id}/events{query}", headers=headers)
    assert response["Content-Type"] == "text/event-stream"
    body = "".join([chunk.decode() async for chunk in response])
    return [
        dict(line.partition(": ")[::2] for line in block.splitlines())
        for block in body.split("\n\n")
        if block and not block.startswith(":")
    ]


def deltas(found: list[dict[str, str]]) -> str:
    return "".join(json.loads(f["data"])["text"] for f in found if f["event"] == "chat:delta")


async def test_event_stream_follows_a_job_to_its_end(workers):
    workers.script(text=TEXT, delay=0.02)
    client = AsyncClient()
    found = await frames(client, await ask(client))
    assert deltas(found) == TEXT
    assert found[-1]["event"] == "chat:completed"
    assert json.loads(found[-1]["data"])["html"] == f"<p>{TEXT}</p>\n"
    last_delta = [f for f in found if f["event"] == "chat:delta"][-1]
    assert last_delta["id"] == f"1.{len(TEXT)}"


async def test_event_stream_resumes_after_the_last_event_id(workers):
    workers.script(text=TEXT, delay=0.3)
    client = AsyncClient()
    job_id = await ask(client)
    response = await client.get(f"/api/jobs/{job_id}/events")
    seen, last_id = "", ""
    async for chunk in response:
        block = dict(line.partition(": ")[::2] for line in chunk.decode().strip().splitlines())
        if block.get("event") == "chat:delta":
            seen, last_id = seen + json.loads(block["data"])["text"], block["id"]
            break
    response.close()
    rest = await frames(client, job_id, **{"Last-Event-ID": last_id})
    assert seen + deltas(rest) == TEXT


async def test_event_stream_of_a_finished_job_ends_at_once():
    client = AsyncClient()
    job_id = await ask(client)
    await client.delete(f"/api/jobs/{job_id}")
    (frame,) = await frames(client, job_id)
    assert frame["event"] == "chat:cancelled"


async def test_event_stream_without_events_sends_comments(monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    client = AsyncClient()
    job_id = await ask(client)
    response = await client.get(f"/api/jobs/{job_id}/events")
    comments = 0
    async for chunk in response:
        comments += chunk == b": still here\n\n"
        if comments == 2:
            break
    response.close()
    assert await Job.objects.aexists()
