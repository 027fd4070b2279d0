"""CLIENT_URL alone makes a site that answers (O10)."""

import json
import os
import subprocess
import sys

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.test import AsyncRequestFactory

NAMES = ["ALLOWED_HOSTS", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT"]


def settings_with(**environment: str) -> dict:
    """Return the settings of a process with these variables."""
    code = f"import json, buddy.settings as s; print(json.dumps({{n: getattr(s, n) for n in {NAMES}}}))"
    kept = {name: value for name, value in os.environ.items() if name not in ("ALLOWED_HOSTS", "CLIENT_URL")}
    output = subprocess.check_output([sys.executable, "-c", code], env=kept | environment, text=True)
    return json.loads(output)


def test_public_address_is_a_host_that_the_server_answers_to():
    assert "buddy.example.org" in settings_with(CLIENT_URL="https://buddy.example.org")["ALLOWED_HOSTS"]
    both = settings_with(CLIENT_URL="https://buddy.example.org:8443/", ALLOWED_HOSTS="other.example.org")
    assert both["ALLOWED_HOSTS"] == ["other.example.org", "buddy.example.org"]
    assert "" not in settings_with(CLIENT_URL="")["ALLOWED_HOSTS"]


def test_hsts_begins_small_and_is_a_setting():
    small = settings_with(CLIENT_URL="https://buddy.example.org")
    assert (small["SECURE_HSTS_SECONDS"], small["SECURE_HSTS_INCLUDE_SUBDOMAINS"]) == (3600, False)
    large = settings_with(CLIENT_URL="https://b.example", HSTS_SECONDS="31536000", HSTS_SUBDOMAINS="1")
    assert (large["SECURE_HSTS_SECONDS"], large["SECURE_HSTS_INCLUDE_SUBDOMAINS"]) == (31536000, True)
    assert settings_with(CLIENT_URL="http://b.example", HSTS_SECONDS="31536000")["SECURE_HSTS_SECONDS"] == 0


async def ask(path: str, host: str) -> tuple[int, str]:
    """Send a request by a name, over http. Return the status, and the body or where it redirects to."""
    scope = AsyncRequestFactory()._base_scope(path=path, headers=[(b"host", host.encode())])
    caller = ApplicationCommunicator(ASGIHandler(), scope)
    await caller.send_input({"type": "http.request", "body": b""})
    start = await caller.receive_output(5)
    body = (await caller.receive_output(5)).get("body", b"")
    await caller.wait(5)
    return start["status"], dict(start["headers"]).get(b"Location", body).decode()


@pytest.mark.django_db(transaction=True)
async def test_probes_by_address_over_http_are_answered(settings, valkey):
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert (await ask("/healthz", "10.1.2.3:8000"))[0] == 200
    status, body = await ask("/readyz", "10.1.2.3:8000")
    assert (status, json.loads(body)["checks"]["database"]) == (503, "ok")  # no worker runs here
    assert (await ask("/metrics", "10.1.2.3:8000"))[0] == 403  # Prometheus reads each web process


@pytest.mark.django_db(transaction=True)
async def test_wrong_name_is_answered_with_the_way_out_and_logged_in_one_line(settings, valkey, caplog):
    """O13: it was a bare 400, and a traceback in the log."""
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    status, body = await ask("/", "192.168.1.5:8000")
    assert (status, "ALLOWED_HOSTS" in body) == (400, True)
    (line,) = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert "Invalid HTTP_HOST header: '192.168.1.5:8000'" in line.getMessage()
    assert line.exc_info is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/", "/readyzz", "/api/queue/status"])
async def test_other_paths_by_an_unknown_name_are_refused(settings, valkey, path):
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    assert (await ask(path, "10.1.2.3:8000"))[0] == 400
    settings.SECURE_SSL_REDIRECT = True
    assert await ask(path, "buddy.example.org") == (301, f"https://buddy.example.org{path}")
