"""S9: a client that throws its cookie away fills no table: all addresses, called by clients of one network.

Generated from the addresses: when the limit of the network is reached, further clients leave nothing.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.test import AsyncClient

from chat.accounts.models import UserSession
from chat.accounts.signing_in import sessions
from chat.analytics.tracking.tracker import tracker
from chat.limits import in_memory
from tests.chat.accounts.account_client import PASSWORD

from .actors import stranger
from .calls import Call, body_of, calls
from .victim import visitor_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: New clients up to the limit, and in all.
_LIMIT, _CLIENTS = 2, 4
_NEW = {"password1": PASSWORD, "password2": PASSWORD}
#: What a stranger who wants to leave much sends to the forms of the site.
FORMS: dict[str, dict[str, str]] = {
    "account/sign-up/": _NEW | {"username": "heron-{n}", "email": "heron-{n}@example.org"},
    "account/reset/": {"email": "heron-{n}@example.org"},
    "account/erase/": {"confirmed": "on"},
}


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    few = f"{_LIMIT}/hour"
    unlimited = dict.fromkeys(("requests", "account", "anonymous", "user", "address"), "")
    settings.LIMITS = dict.fromkeys(settings.LIMITS, few) | unlimited


def rows() -> Counter[str]:
    """Return the number of rows of each table."""
    return Counter({model._meta.label: model._default_manager.count() for model in apps.get_models()})


async def send(call: Call, number: int) -> None:
    """Send a call as a client that has no cookie, or only those of the page before."""
    client = AsyncClient()
    headers = {"Accept": "application/json"} if call.route.method == "GET" else {}
    if fields := FORMS.get(call.route.pattern) if call.route.method == "POST" else None:
        await client.get("/")
        sent = {name: value.format(n=number) for name, value in fields.items()}
        await client.post(call.path, sent)
        return
    actor = stranger()
    actor.client = client
    await asyncio.wait_for(body_of(await call.send(actor, **headers)), 10)


async def left_by_further_clients(call: Call) -> Counter[str]:
    """Return the rows that clients leave after the limit of their network is reached."""
    for number in range(_LIMIT):
        await send(call, number)
    before = await sync_to_async(rows)()
    for number in range(_LIMIT, _CLIENTS):
        await send(call, number)
    return await sync_to_async(rows)() - before


@pytest.mark.parametrize("sends_mail", [False, True])
async def test_new_clients_of_one_network_leave_nothing_over_its_limit(
    request: pytest.FixtureRequest, sends_mail: bool
) -> None:
    if sends_mail:
        request.getfixturevalue("mail_server")
    victim = await sync_to_async(visitor_victim)()
    found = {}
    for call in await sync_to_async(lambda: list(calls(victim)))():
        if sends_mail and not call.path.startswith("/account/"):
            continue
        if left := await left_by_further_clients(call):
            found[f"{call.route.method} {call.path}"] = dict(left)
    assert not found


async def test_pages_of_one_network_are_counted_up_to_the_limit_of_its_events(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ANALYTICS_DAYS = 90
    counted: list[Any] = []
    monkeypatch.setattr(tracker, "put", counted.append)
    in_memory.clear()
    for _ in range(_CLIENTS):
        assert (await AsyncClient().get("/")).status_code == 200
    assert len(counted) == _LIMIT


async def test_user_signs_in_although_the_network_has_too_many_new_visitors(settings: Any) -> None:
    settings.LIMITS = settings.LIMITS | {"login": ""}
    settings.MAX_VISITORS = 0
    await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
    for _ in range(_CLIENTS):
        client = AsyncClient()
        await client.get("/")
        answer = await client.post("/account/sign-in/", {"login": "alice", "password": PASSWORD})
        assert answer.status_code == 302
        assert b"Sign out" in (await client.get("/account/")).content
    user = await User.objects.aget()
    await Authenticator.objects.acreate(user=user, type="totp", data={"secret": "x"})
    answers = []
    for _ in range(_CLIENTS):
        client = AsyncClient()
        await client.post("/account/sign-in/", {"login": "alice", "password": PASSWORD})
        answers.append((await client.get("/account/second-factor/code/")).status_code)
    assert answers == [200] * _LIMIT + [302] * (_CLIENTS - _LIMIT), "the second step counts for the account"


async def test_sessions_of_one_user_are_limited_and_the_least_used_ends(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMITS = settings.LIMITS | {"login": ""}
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
    clients = [AsyncClient() for _ in range(3)]
    for client in clients:
        await client.post("/account/sign-in/", {"login": "alice", "password": PASSWORD})
    shown = [b"Sign out" in (await client.get("/account/")).content for client in clients]
    assert shown == [False, True, True]
    assert await UserSession.objects.acount() == 2
