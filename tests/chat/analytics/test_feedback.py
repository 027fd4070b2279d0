"""Feedback on answers: only by their owner, changeable, and deleted with the conversation."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat import personal_data
from chat.analytics.models import Feedback
from chat.models import Message
from queueing.api import new_id
from tests.chat.questions import submit_question

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


class Visitor:
    """A browser's session."""

    def __init__(self) -> None:
        self.client = AsyncClient()
        self.asked: dict[str, Any] = {}

    async def call(self, method: str, path: str, data: Any = None) -> Any:
        body = json.dumps(data).encode() if data is not None else b""
        return await self.client.generic(method, path, body, content_type="application/json")

    async def rate(self, **feedback: Any) -> Any:
        return await self.call("PUT", f"/api/messages/{self.asked['replyId']}/feedback", feedback)

    async def answer(self) -> dict[str, Any]:
        """Return the answer as the page loads it."""
        response = await self.call("GET", f"/api/threads/{self.asked['threadId']}")
        return response.json()["messages"][1]


@pytest.fixture
async def alice() -> Visitor:
    """Create a visitor with one answer."""
    visitor = Visitor()
    visitor.asked = (await visitor.call("POST", "/api/travel", {"message": "Where to?"})).json()
    await Message.objects.filter(id=visitor.asked["replyId"]).aupdate(content="To Lisbon.")
    return visitor


async def test_feedback_is_stored_changed_and_deleted(alice):
    assert (await alice.answer()).get("feedback") is None
    assert (await alice.rate(value="up")).json() == {"value": "up", "reason": "", "comment": ""}
    changed = {"value": "down", "reason": "wrong", "comment": "It is *north*."}
    assert (await alice.rate(**changed | {"comment": " It is *north*. "})).json() == changed
    assert (await alice.answer())["feedback"] == changed
    row = await Feedback.objects.aget()
    assert (row.companion, row.up) == ("travel", False)

    for _ in range(2):
        response = await alice.call("DELETE", f"/api/messages/{alice.asked['replyId']}/feedback")
        assert response.status_code == 204
    assert (await alice.answer()).get("feedback") is None


@pytest.mark.parametrize(
    ("feedback", "field"),
    [
        ({}, "value"),
        ({"value": "sideways"}, "value"),
        ({"value": "down", "reason": "ugly"}, "reason"),
        ({"value": "down", "comment": "x" * 1001}, "comment"),
        ({"value": "down", "comment": "a\x00b"}, "comment"),
    ],
)
async def test_feedback_invalid_is_refused_with_its_field(alice, feedback, field):
    response = await alice.rate(**feedback)
    assert response.status_code == 422
    assert response.json()["field"].startswith(field)
    assert not await Feedback.objects.aexists()


async def test_feedback_by_others_or_on_questions_is_404(alice):
    bob = Visitor()
    bob.asked = alice.asked
    assert (await bob.rate(value="down")).status_code == 404
    assert (await bob.call("DELETE", f"/api/messages/{alice.asked['replyId']}/feedback")).status_code == 404
    alice.asked["replyId"] = alice.asked["messageId"]
    assert (await alice.rate(value="up")).status_code == 404
    alice.asked["replyId"] = new_id().hex
    assert (await alice.rate(value="up")).status_code == 404


async def test_feedback_on_unfinished_answer_is_refused(alice):
    await Message.objects.filter(id=alice.asked["replyId"]).aupdate(content="")
    response = await alice.rate(value="up")
    assert (response.status_code, response.json()["field"]) == (422, "messageId")


async def test_feedback_is_deleted_with_the_conversation(alice):
    await alice.rate(value="up", comment="Thanks")
    await alice.call("DELETE", f"/api/threads/{alice.asked['threadId']}")
    assert not await Feedback.objects.aexists()


async def test_feedback_is_exported_merged_and_erased(alice):
    await alice.rate(value="down", reason="tone", comment="Too loud")
    given = await Feedback.objects.aget()
    (entry,) = [one for one in personal_data.entries() if one.model is Feedback]
    assert entry.export(given)["comment"] == "Too loud"
    await sync_to_async(entry.merge)(given.owner, "u:1")
    assert await Feedback.objects.filter(owner="u:1").acount() == 1
    await sync_to_async(entry.erase)("u:1")
    assert not await Feedback.objects.aexists()


@pytest.mark.parametrize("may_read", [False, True])
def test_comments_need_the_permission_to_read_messages(client, django_user_model, may_read):
    from django.contrib.auth.models import Permission

    asked = submit_question(owner="s:alice", companion="travel", text="Where to?", request_id="r-1")
    reply = Message.objects.get(id=asked.reply_id)
    given = Feedback.objects.create(
        message=reply, owner="s:alice", companion="travel", up=False, reason="tone", comment="rather private"
    )
    carol = django_user_model.objects.create_user("carol", is_staff=True)
    names = ["view_feedback"] + ["view_message_content"] * may_read
    carol.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(carol)
    for address in ("", f"?q={reply.id}", f"{given.pk}/change/"):
        response = client.get(f"/admin/analytics/feedback/{address}")
        assert response.status_code == 200, address
        assert b"s:alice" not in response.content
        assert (b"rather private" in response.content) is may_read
