"""What visitors and users ask of the site, request by request."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import Client

from chat.conversations.messages import AcceptedMessage
from chat.conversations.thread_list import Mark
from chat.models import Message, Thread

Visits = dict[str, Callable[[], HttpResponse]]

#: They ask the database nothing.
WITHOUT = ("/api/voice", "/api/companions", "/healthz")
_JSON: Any = {"content_type": "application/json"}


def readings(client: Client, thread: Thread) -> Visits:
    """Return the requests that read, of the owner of a thread. A name is the address, with words for ids."""
    first, last = thread.messages.order_by("id").first(), thread.messages.order_by("id").last()
    assert first
    assert last
    job = Message.objects.values_list("job_id", flat=True).get(id=last.id).hex
    place, middle = str(Mark.after(thread)), _middle(thread)
    paths = {
        "/": "/",
        "/t/{thread}": f"/t/{thread.id.hex}",
        "/account/": "/account/",
        "/account/sessions/": "/account/sessions/",
        "/api/threads": "/api/threads",
        "/api/threads?before={place}": f"/api/threads?before={place}",
        "/api/threads?before={thread}": f"/api/threads?before={thread.id.hex}",
        "/api/threads?q=lisbon": "/api/threads?q=lisbon",
        "/api/threads?q=lisbon porto": "/api/threads?q=lisbon porto",
        # What the search before has kept.
        "/api/threads?q=lisbon porto, again": "/api/threads?q=lisbon porto",
        "/api/threads?q=lisbon&before={place}": f"/api/threads?q=lisbon&before={place}",
        "/api/threads/{thread}": f"/api/threads/{thread.id.hex}",
        "/api/threads/{thread}?before={message}": f"/api/threads/{thread.id.hex}?before={middle}",
        "/api/threads/{thread}?after={message}": f"/api/threads/{thread.id.hex}?after={middle}",
        "/api/threads/{thread}?around={message}": f"/api/threads/{thread.id.hex}?around={middle}",
        "/api/threads/{thread}/transcript.md": f"/api/threads/{thread.id.hex}/transcript.md",
        "/api/jobs/{job}": f"/api/jobs/{job}",
        "/api/jobs/{job}/thoughts": f"/api/jobs/{job}/thoughts",
        "/api/analysis/{job}/report.md": f"/api/analysis/{job}/report.md",
        "/api/queue/status": "/api/queue/status",
        "/api/usage": "/api/usage",
        "/api/voice": "/api/voice",
        "/api/companions": "/api/companions",
        "/healthz": "/healthz",
        "/readyz": "/readyz",
    }
    return {name: lambda path=path: client.get(path) for name, path in paths.items()}


def _middle(thread: Thread) -> str:
    """Return the id of a message in the middle of a thread."""
    ids = thread.messages.order_by("id").values_list("id", flat=True)
    return str(ids[thread.messages.count() // 2].hex)


def writings(client: Client, accepted: AcceptedMessage, number: int = 0) -> Visits:
    """Return the requests that change something, of the owner of an accepted message."""
    thread, job, reply = accepted.thread_id, accepted.job.id.hex, accepted.reply_id
    body = {"message": "And Porto?", "threadId": thread, "requestId": f"again-{number}"}
    return {
        "ask": lambda: client.post("/api/travel", body, **_JSON),
        "ask again": lambda: client.post("/api/travel", body, **_JSON),
        "ask in a new conversation": lambda: client.post("/api/travel", {"message": "Where to?"}, **_JSON),
        "rename": lambda: client.patch(f"/api/threads/{thread}", {"title": "Portugal"}, **_JSON),
        "edit": lambda: client.patch(f"/api/messages/{accepted.message_id}", {"content": "Porto?"}, **_JSON),
        "feedback": lambda: client.put(f"/api/messages/{reply}/feedback", {"value": "up"}, **_JSON),
        "cancel": lambda: client.delete(f"/api/jobs/{job}"),
        "retry": lambda: client.post(f"/api/jobs/{job}/retry"),
        "withdraw": lambda: client.delete(f"/api/messages/{accepted.message_id}"),
        "delete": lambda: client.delete(f"/api/threads/{thread}"),
    }


def erasing(client: Client, password: str) -> Visits:
    """Return the request that erases a user."""
    return {"erase": lambda: client.post("/account/erase/", {"password": password})}
