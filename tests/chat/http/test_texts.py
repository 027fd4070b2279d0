"""P4: text that no store takes (half a surrogate pair, NUL) gets a clear refusal in every field."""

import pytest

from chat.models import Message
from queueing.api import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

QUESTION, EDIT = ("POST", "/api/travel"), ("PATCH", "/api/messages/{messageId}")
TITLE, FEEDBACK = ("PATCH", "/api/threads/{threadId}"), ("PUT", "/api/messages/{replyId}/feedback")
DOCUMENT = ("POST", "/api/analysis")


@pytest.mark.parametrize("bad", ["x\ud800", "\udc00", "x\0"])
@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        (QUESTION, {"message": ...}, "message"),
        (QUESTION, {"messages": [{"role": "user", "content": ...}]}, "message"),
        (EDIT, {"content": ...}, "message"),
        (TITLE, {"title": ...}, "title"),
        (FEEDBACK, {"value": "down", "comment": ...}, "comment"),
        (DOCUMENT, {"companion": "travel", "text": "x", "question": ...}, "question"),
        (DOCUMENT, {"companion": "travel", "text": ...}, "text"),
    ],
)
async def test_text_that_no_store_takes_is_refused_with_a_sentence(alice, call, body, field, bad):
    asked = await alice.ask()
    await Message.objects.filter(id=asked["replyId"]).aupdate(content="An answer.")
    method, path = call
    answer = await alice.call(method, path.format(**asked), filled(body, bad))
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("invalid", "bad_json")
    assert answer.json().get("field", field) == field
    assert "unable to parse" not in answer.json()["detail"]
    assert await Job.objects.acount() == 1


def filled(body, text):
    """Return `body` with `text` in place of the ellipsis."""
    if body is ...:
        return text
    if isinstance(body, dict):
        return {name: filled(value, text) for name, value in body.items()}
    return [filled(value, text) for value in body] if isinstance(body, list) else body
