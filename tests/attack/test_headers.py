"""What every answer says to browsers: no scripts of others, no guessed types, no echo; and a public site."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import AsyncClient

from .actors import Actor, sign_in
from .calls import calls
from .victim import everything, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: Files that no site may serve.
PRIVATE = [
    "/.git/config", "/.env", "/.hg/hgrc", "/manage.py", "/var/db.sqlite3", "/static/", "/static/chat/",
    "/static/../manage.py", "/static/%2e%2e/manage.py", "/static/chat/js/", "/server-status",
]  # fmt: skip


@pytest.fixture(autouse=True)
def mail(mail_server: Any) -> None:
    """A site with all its pages: those that need a mail server too."""


async def test_every_answer_has_the_headers_that_protect_browsers():
    """ASVS 3.2.1, 3.4.3 to 3.4.6, 4.1.1: no inline scripts, no frames, no guessed types."""
    victim = await sync_to_async(user_victim)()
    client = await sync_to_async(sign_in)(victim.user)
    for call in calls(victim):
        response = await call.send(Actor(client))
        policy = dict(one.partition(" ")[::2] for one in response["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'", call.route
        assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'"), call.route
        assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'"), call.route
        assert response["X-Content-Type-Options"] == "nosniff", call.route
        assert response["Referrer-Policy"] == "same-origin", call.route
        if response.get("Content-Type", "").startswith("text/") and not response.streaming:
            assert "charset=utf-8" in response["Content-Type"].lower(), call.route
        for cookie in (one for one in response.cookies.values() if one.value):  # others are deleted
            assert cookie["samesite"] == "Lax", (call.route, cookie)
            assert cookie["httponly"] or cookie.key == settings.CSRF_COOKIE_NAME, (call.route, cookie)
        if response.streaming:
            response.close()


async def test_reading_changes_nothing():
    """ASVS 3.5.3: a GET of any address, by the owner of everything."""
    victim = await sync_to_async(user_victim)()
    client = await sync_to_async(sign_in)(victim.user)
    reads = [call for call in calls(victim) if call.route.method == "GET"]
    for call in reads:  # what is made at the first look, such as rendered answers
        await _read(call, client)
    before = await sync_to_async(everything)()
    for call in reads:
        await _read(call, client)
    assert set(await sync_to_async(everything)()) == set(before)


async def _read(call: Any, client: AsyncClient) -> None:
    response = await call.send(Actor(client))
    if response.streaming:
        response.close()


async def test_method_that_repeats_a_request_is_not_offered():
    """ASVS 13.4.4: no answer to TRACE has a header of the request."""
    victim = await sync_to_async(user_victim)()
    client = await sync_to_async(sign_in)(victim.user)
    for path in {call.path for call in calls(victim)}:
        response = await client.generic("TRACE", path, headers={"X-Secret": "repeated-4711"})
        body = b"" if response.streaming else response.content
        assert b"repeated-4711" not in body + str(response.headers).encode(), path
        assert client.cookies["sessionid"].value.encode() not in body, path


@pytest.mark.parametrize("path", PRIVATE)
async def test_private_file_or_listing_is_not_served(path: str):
    """ASVS 13.4.1, 13.4.3."""
    assert (await AsyncClient().get(path)).status_code == 404


def test_django_finds_nothing_to_say_about_a_public_site(tmp_path: Path):
    """ASVS 12.2.1, 13.4.2: `manage.py check --deploy` with the settings of a public site."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLIENT_URL": "https://buddy.example.org",
        "SECRET_KEY": "b8f1-0a9c-77de-" * 5,
        "TRUSTED_PROXIES": "10.0.0.1",
        "HSTS_SECONDS": "31536000",
        "OPENAI_API_KEY": "sk-only-for-this-test",
        "OPENAI_MODEL": "a-model",
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    found = set(re.findall(r"\((\w+\.[A-Z]\d+)\)", done.stderr))
    assert found <= {"queueing.W003"}, done.stderr  # the tests' Redis keeps no log of its writes
    assert found or "no issues" in done.stdout, done.stderr
