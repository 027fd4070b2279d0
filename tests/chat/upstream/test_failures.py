"""The model's client against a provider that fails in many ways."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest

from chat.upstream import client
from queueing.api import Cooldown, Outage, Permanent, Retry
from tests.provider.fixture import Provider

from .model_requests import request_error


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "expected"),
    [
        (400, "", "no such parameter", Permanent, "bad_request"),
        (422, "", "", Permanent, "bad_request"),
        (401, "invalid_api_key", "Incorrect API key sk-abc", Permanent, "not_configured"),
        (403, "", "not from this country", Permanent, "not_configured"),
        (404, "model_not_found", "", Permanent, "no_model"),
        (402, "", "payment required", Permanent, "no_quota"),
        (429, "insufficient_quota", "", Permanent, "no_quota"),
        (429, "credit_balance_exhausted", "", Permanent, "no_quota"),
        (429, "project_spend_limit_exceeded", "", Permanent, "no_quota"),
        (429, "organization_usage_limit_exceeded", "", Permanent, "no_quota"),
        (429, "rate_limit_exceeded", "Request too large for this model", Permanent, "too_long"),
        (400, "context_length_exceeded", "", Permanent, "too_long"),
        (400, "", "the request exceeds the available context size", Permanent, "too_long"),
        (413, "", "", Permanent, "too_long"),
        (400, "content_filter", "", Permanent, "content_filter"),
        (400, "invalid_prompt", "", Permanent, "content_filter"),
        (429, "rate_limit_exceeded", "", Cooldown, "rate_limited"),
        (429, "", "", Cooldown, "rate_limited"),
        (503, "slow_down", "", Cooldown, "rate_limited"),
        (500, "", "", Outage, "provider_error"),
        (502, "", "", Outage, "provider_error"),
        (503, "", "Loading model", Outage, "provider_error"),
        (529, "", "overloaded", Outage, "provider_error"),
        (408, "", "", Outage, "provider_error"),
        (409, "", "", Retry, "provider_error"),
    ],
)
async def test_error_status_maps_to_job_error(provider: Provider, api, status, code, message, kind, expected):
    provider.script(status=status, code=code, message=message)

    error = await request_error()

    assert (type(error), error.code) == (kind, expected)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry-after-ms": "1500", "retry-after": "20"}, 1.5),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3),
        ({"retry-after": "86400"}, 300),
        ({"retry-after": "0"}, 5),
        ({"retry-after": "-3"}, 5),
        ({"retry-after": "nan"}, 5),
        ({"retry-after": "inf"}, 5),
        ({"retry-after": "in a while"}, 5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 5),
        ({}, 5),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 529])
async def test_rate_limit_uses_requested_wait(provider: Provider, status, headers, after):
    provider.script(status=status, code="rate_limit_exceeded", headers=headers)

    error = await request_error()

    assert isinstance(error, Cooldown)
    assert error.after == pytest.approx(after)


async def test_retry_after_date_is_used(provider: Provider):
    until = datetime.now(UTC) + timedelta(seconds=42)
    provider.script(status=429, headers={"retry-after": format_datetime(until, usegmt=True)})

    error = await request_error()

    assert isinstance(error, Cooldown)
    assert 35 < error.after <= 42


@pytest.mark.parametrize("status", [503, 529])
async def test_overloaded_status_with_wait_is_cooldown(provider: Provider, status):
    provider.script(status=status, headers={"retry-after": "7"})

    error = await request_error()

    assert isinstance(error, Cooldown)
    assert error.after == 7


async def test_server_error_with_wait_is_retried_after_it(provider: Provider):
    provider.script(status=500, headers={"retry-after": "7"})

    error = await request_error()

    assert isinstance(error, Retry)
    assert error.after == 7


@pytest.mark.parametrize(
    ("script", "kind", "expected"),
    [
        ({"end": "content_filter"}, Permanent, "content_filter"),
        ({"end": "eof"}, Retry, "cut_off"),
        ({"end": "eof", "text": ""}, Outage, "cut_off"),
        ({"end": "cut"}, Retry, "cut_off"),
        ({"end": "cut", "after": 0}, Outage, "cut_off"),
        ({"end": "garbage"}, Retry, "garbled"),
        ({"text": ""}, Retry, "empty_answer"),
        ({"text": " \n"}, Retry, "empty_answer"),
        ({"text": "", "end": "length"}, Permanent, "no_room"),
        ({"end": "error"}, Retry, "provider_error"),
        ({"end": "error", "code": "server_error"}, Retry, "provider_error"),
        ({"end": "error", "code": "rate_limit_exceeded"}, Cooldown, "rate_limited"),
        ({"end": "error", "code": "insufficient_quota"}, Permanent, "no_quota"),
        ({"end": "error", "code": "context_length_exceeded"}, Permanent, "too_long"),
        ({"end": "failed", "code": "server_error"}, Retry, "provider_error"),
        ({"end": "failed", "code": "rate_limit_exceeded"}, Cooldown, "rate_limited"),
        ({"end": "failed", "code": "invalid_prompt"}, Permanent, "content_filter"),
        ({"status": -1}, Outage, "garbled"),
    ],
)
async def test_broken_answer_maps_to_job_error(provider: Provider, api, script, kind, expected):
    provider.script(**script)

    error = await request_error()

    assert (type(error), error.code) == (kind, expected)


async def test_refusal_carries_the_models_explanation(provider: Provider, api):
    provider.script(text="", end="refusal", message="I can't help with lock picking.")

    error = await request_error()

    assert (type(error), error.code) == (Permanent, "refused")
    assert "I can't help with lock picking." in error.message


@pytest.mark.parametrize(
    ("script", "kind"),
    [({"end": "stall", "after": 0}, Outage), ({"end": "stall"}, Retry), ({"status": 0}, Outage)],
)
async def test_silent_provider_times_out(provider: Provider, api, script, kind, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(**script)

    error = await request_error()

    assert (type(error), error.code) == (kind, "provider_timeout")


@pytest.mark.parametrize("how", ["refused", "no such host", "no TLS"])
async def test_unreachable_provider_is_an_outage(provider: Provider, api, settings, unused_tcp_port, how):
    """K3: connections that are refused, names that are unknown, and TLS that fails."""
    port = urlsplit(provider.base_url).port
    settings.OPENAI_BASE_URL = {
        "refused": f"http://127.0.0.1:{unused_tcp_port}/v1",
        "no such host": "http://no-such-host.invalid/v1",
        "no TLS": f"https://127.0.0.1:{port}/v1",
    }[how]

    error = await request_error()

    assert (type(error), error.code) == (Outage, "provider_unreachable")
    assert error.certain


@pytest.mark.parametrize(
    ("status", "certain"),
    [(500, False), (501, False), (408, False), (502, True), (503, True), (504, True), (529, True)],
)
async def test_error_status_says_whether_the_request_may_be_the_cause(provider: Provider, status, certain):
    """K3: a server that reports itself as unavailable does so to all."""
    provider.script(status=status)

    error = await request_error()

    assert isinstance(error, Outage)
    assert error.certain is certain


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed_with_the_conversation(provider: Provider, api, status):
    """ASVS 15.3.2: the address is the operator's choice, and that of no answer."""
    provider.script(status=status, headers={"Location": f"{provider.base_url}/chat/completions"})

    error = await request_error()

    assert (type(error), error.code) == (Permanent, "not_configured")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("missing", ["OPENAI_MODEL", "OPENAI_API_KEY"])
async def test_missing_setting_fails_without_request(provider: Provider, settings, missing):
    if missing == "OPENAI_API_KEY":
        settings.OPENAI_BASE_URL = ""
    setattr(settings, missing, "")

    error = await request_error()

    assert (type(error), error.code) == (Permanent, "not_configured")
    assert not provider.requests


async def test_error_log_has_detail_without_key(provider: Provider, caplog):
    provider.script(status=500, message="boom, by sk-of-the-tests and sk-proj-42")

    await request_error()

    assert "boom" in caplog.text
    assert "sk-" not in caplog.text
