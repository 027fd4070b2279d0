"""Client messages are parsed or refused; events are prepared for clients."""

import json
from uuid import UUID

import pytest

from chat.conversations import serializers
from chat.conversations.services import MAX_TEXT
from chat.errors import InvalidInput
from chat.protocol import client_messages
from chat.protocol.error_events import error_event

ASK = {
    "type": "chat:message",
    "requestId": "r-1",
    "companion": "travel",
    "messages": [{"role": "user", "content": "Hi"}],
}


def refused(data: object) -> client_messages.BadFrame:
    text = data if isinstance(data, str) else json.dumps(data)
    with pytest.raises(client_messages.BadFrame) as caught:
        client_messages.parse(text)
    return caught.value


def test_question_is_parsed():
    message = client_messages.parse(json.dumps(ASK | {"threadId": "0" * 31 + "1"}))
    assert isinstance(message, client_messages.Ask)
    assert message.thread_id == UUID(int=1)
    assert client_messages.last_user_text(message.messages) == "Hi"


def test_assistant_id_names_the_companion():
    ask = {name: value for name, value in ASK.items() if name != "companion"}
    message = client_messages.parse(json.dumps(ask | {"assistantId": "culture"}))
    assert isinstance(message, client_messages.Ask)
    assert message.companion == "culture"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"requestId": "has space"}, "requestId"),
        ({"requestId": ""}, "requestId"),
        ({"requestId": "x" * 65}, "requestId"),
        ({"requestId": 7}, "requestId"),
        ({"companion": None}, "companion"),
        ({"threadId": "not an id"}, "threadId"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
    ],
)
def test_invalid_field_is_named(change, field):
    error = refused(ASK | change)
    assert (error.code, error.field) == ("invalid", field)
    assert error_event(error, request_id="", message_type="")["type"] == "error"


def test_error_has_the_request_id():
    error = refused(ASK | {"messages": []})
    assert error_event(error, request_id="", message_type="")["requestId"] == "r-1"


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 30_000])
def test_frame_without_json_is_bad_json(text):
    assert refused(text).code == "bad_json"


@pytest.mark.parametrize("data", [{}, {"type": "chat:shout"}, {"type": None}, {"type": ["ping"]}])
def test_unknown_type_is_named(data):
    assert (refused(data).code, refused(data).field) == ("unknown_type", "type")


@pytest.mark.parametrize("data", ["[]", '"ping"', "1", "null"])
def test_json_without_object_is_bad_message(data):
    assert refused(data).code == "bad_message"


def test_frame_size_is_measured_in_bytes():
    assert refused(json.dumps({"type": "ping", "t": "é" * 66_000}, ensure_ascii=False)).code == "too_large"


def asking(content: str, **more: object) -> str:
    """Return a frame with a message, as a browser writes it: only controls are escaped."""
    message = {
        "type": "chat:message",
        "companion": "travel",
        "messages": [{"role": "user", "content": content}],
    }
    return json.dumps(message | {"requestId": "r-1"} | more, ensure_ascii=False)


@pytest.mark.parametrize("character", ["x", "é", "🙂", '"', "\x01"])
def test_message_of_the_most_characters_fits_into_a_frame(character):
    """P4: the server counts characters, so a message that it would take is never too large to send."""
    asked = client_messages.parse(asking(character * MAX_TEXT, threadId="0" * 32))
    assert isinstance(asked, client_messages.Ask)
    assert len(asked.messages[0].content) == MAX_TEXT


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (asking("🙂" * 40_000), "too_large"),
        (asking("x")[:-1], "bad_json"),
        (asking("x").replace('"x"', r'"x\ud800"'), "invalid"),
        (asking(r'"requestId": "another"' + "🙂" * 40_000), "too_large"),
    ],
)
def test_frame_that_cannot_be_read_is_refused_with_its_request_id(frame, code):
    """P4: without the id, the error belongs to no message, which then seems to be on its way for ever."""
    error = refused(frame)
    assert (error.code, error.request_id) == (code, "r-1")


def test_last_message_must_be_the_users():
    with pytest.raises(InvalidInput, match="role user"):
        client_messages.last_user_text([client_messages.MessageIn(role="assistant", content="I am")])


def test_completed_event_gets_its_text_as_html():
    event = serializers.decorate({"type": "chat:completed", "jobId": "1", "result": {"response": "*hi*"}})
    assert event["response"] == "*hi*"
    assert event["html"] == "<p><em>hi</em></p>\n"


def test_cancelled_event_gets_its_text_as_html():
    event = serializers.decorate({"type": "chat:cancelled", "jobId": "1", "text": "*hi*"})
    assert event["html"] == "<p><em>hi</em></p>\n"
    nothing = {"type": "chat:cancelled", "jobId": "1", "text": ""}
    assert serializers.decorate(nothing)["html"] == "", "which is shown, whatever had been seen"


@pytest.mark.parametrize("result", [None, 5, {"words": 3}])
def test_result_without_text_is_unchanged(result):
    event = {"type": "analysis:completed", "result": result}
    assert serializers.decorate(event) == event
