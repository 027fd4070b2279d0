"""Errors and reasons for an end inside an answer whose status is 200 (K6)."""

import json

import pytest

from queueing.api import Cooldown, Outage, Permanent, Retry
from tests.provider.fixture import Provider

from .answer_events import DONE, SAID, event
from .model_requests import ask_model, request_error

ERRORS = [
    (400, Permanent, "bad_request"),
    (401, Permanent, "not_configured"),
    (402, Permanent, "no_quota"),
    (403, Permanent, "not_configured"),
    (404, Permanent, "no_model"),
    (413, Permanent, "too_long"),
    (429, Cooldown, "rate_limited"),
    (500, Outage, "provider_error"),
    (503, Outage, "provider_error"),
]
FORMS = {
    "number": lambda status: {"error": {"message": "no", "code": status}},
    "text number": lambda status: {"error": {"message": "no", "code": str(status), "type": None}},
    "status": lambda status: {"error": {"message": "no", "status": status}},
    "beside": lambda status: {"error": "no", "code": status},
    "sentence": lambda status: {"error": f"Error code: {status} - no"},
    "object": lambda status: {"object": "error", "message": "no", "type": "Oh", "code": status},
    "detail": lambda status: {"detail": "no", "status": status},
    "list": lambda status: {"error": [{"message": "no", "code": status}]},
}


@pytest.mark.parametrize(
    ("status", "kind", "expected", "form"),
    [(*one, "number") for one in ERRORS] + [(429, Cooldown, "rate_limited", form) for form in FORMS],
)
@pytest.mark.parametrize("way", ["event", "after text", "named", "body"])
async def test_error_number_in_an_answer_is_read_like_the_status(
    provider: Provider, api, form, status, kind, expected, way
):
    data = json.dumps(FORMS[form](status))
    first = SAID if api == "chat" else event("response.output_text.delta", delta="All said.")
    bodies = {
        "event": f"data: {data}\n\n",
        "after text": f"{first}data: {data}\n\n{DONE}",
        "named": f"event: error\ndata: {data}\n\n",
        "body": data,
    }
    provider.script(
        raw=(bodies[way],), content_type="application/json" if way == "body" else "text/event-stream"
    )

    error = await request_error()

    if kind is Outage and way == "after text":  # a provider that has begun to answer does answer
        kind = Retry
    assert (type(error), error.code) == (kind, expected)


@pytest.mark.parametrize(
    ("error", "kind", "expected"),
    [
        ({"type": "rate_limit_error", "message": "slower"}, Cooldown, "rate_limited"),
        ({"status": "RESOURCE_EXHAUSTED", "message": "slower"}, Cooldown, "rate_limited"),
        ({"type": "authentication_error", "message": "who?"}, Permanent, "not_configured"),
        ({"code": "invalid_api_key", "type": "invalid_request_error"}, Permanent, "not_configured"),
        ({"type": "invalid_request_error", "message": "no such field"}, Permanent, "bad_request"),
        ({"type": "overloaded_error"}, Outage, "provider_error"),
        ({"code": 429, "type": "insufficient_quota"}, Permanent, "no_quota"),
        ({"code": 400, "message": "maximum context length is 8192"}, Permanent, "too_long"),
        ({"code": 400, "type": "content_filter"}, Permanent, "content_filter"),
        ("something broke", Outage, "provider_error"),
        (True, Outage, "provider_error"),
        ({"code": 1302}, Outage, "provider_error"),
    ],
)
async def test_error_name_in_an_answer_decides(provider: Provider, api, error, kind, expected):
    provider.script(raw=(f"data: {json.dumps({'error': error})}\n\n",))

    found = await request_error()

    assert (type(found), found.code) == (kind, expected)


async def test_error_of_a_choice_is_the_error(provider: Provider):
    choice = {"delta": {}, "finish_reason": "error", "error": {"code": 429, "message": "slower"}}
    provider.script(raw=(SAID, f"data: {json.dumps({'choices': [choice]})}\n\n"))

    assert (await request_error()).code == "rate_limited"


async def test_event_that_is_a_bare_text_is_an_error(provider: Provider, api):
    provider.script(raw=('data: "429 Too Many Requests"\n\n',))

    assert (await request_error()).code == "rate_limited"


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length", "a_new_reason"])
async def test_reason_that_means_cut_marks_the_answer(provider: Provider, reason):
    provider.script(text="All said.", finish=reason)

    reply = await ask_model()

    assert (reply.text, reply.truncated) == ("All said.", True)


@pytest.mark.parametrize(
    ("reason", "kind", "expected"),
    [
        ("content_filter", Permanent, "content_filter"),
        ("SAFETY", Permanent, "content_filter"),
        ("sensitive", Permanent, "content_filter"),
        ("error", Retry, "provider_error"),
        ("insufficient_system_resource", Retry, "provider_error"),
        ("network_error", Retry, "provider_error"),
        ("abort", Retry, "provider_error"),
    ],
)
async def test_reason_that_means_failure_is_no_answer(provider: Provider, reason, kind, expected):
    provider.script(text="All said.", finish=reason)

    error = await request_error()

    assert (type(error), error.code) == (kind, expected)


@pytest.mark.parametrize("reason", ["length", "a_new_reason"])
async def test_cut_without_a_word_has_no_room(provider: Provider, reason):
    provider.script(text="", finish=reason)

    assert (await request_error()).code == "no_room"
