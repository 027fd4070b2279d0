"""The end of a session closes its sockets, and closed sockets release everything."""

import asyncio
import gc
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from buddy.asgi import application
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.sessions import store as session_store
from chat.accounts.access.sessions.store import SessionStore, stored_key
from chat.accounts.signing_in.sessions import renew_key
from queueing.api.events import PressureWatch
from queueing.dashboard import broadcast
from queueing.events.follower import LostEventCheck
from queueing.events.positions import Positions
from tests.chat.browser import PAGE, Browser, Tab, browser
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def log_in(alice: Browser) -> User:
    user, _ = await User.objects.aget_or_create(username="alice")
    await alice.client.aforce_login(user)
    return user


async def test_log_out_closes_only_that_sessions_sockets_at_once(monkeypatch):
    monkeypatch.setattr(OpenSockets, "every", 600.0)
    async with browser() as laptop, browser() as phone:
        await log_in(laptop)
        await log_in(phone)
        tabs = [await laptop.open(), await laptop.open()]
        elsewhere = await phone.open()
        await laptop.client.alogout()
        for tab in tabs:
            assert await tab.receive_close_code(3) == 4401
        await elsewhere.send_message(type="ping", t=1)
        assert (await elsewhere.receive_event())["type"] == "pong"


async def test_sockets_go_on_when_the_session_gets_a_new_key_and_end_with_it(monkeypatch):
    """ASVS 7.2.4: a proof renews the key. Open tabs of the browser are part of the same session."""
    monkeypatch.setattr(OpenSockets, "every", 0.05)
    monkeypatch.setattr(broadcast, "_CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(session_store, "GRACE", -1)
    async with browser() as alice:
        user = await log_in(alice)
        await User.objects.filter(pk=user.pk).aupdate(is_staff=True)
        old = alice.client.cookies["sessionid"].value
        chat = await alice.open()
        headers = [*PAGE, (b"cookie", f"sessionid={old}".encode())]
        dashboard = Tab(application, "/ws/queue", headers=headers)
        assert (await dashboard.connect(timeout=10))[0]
        sockets, pages = OpenSockets.for_running_loop(), broadcast.Broadcast.for_running_loop()
        for _ in range(2):  # also a key of a key
            await sync_to_async(give_new_key)(alice)
            new = alice.client.cookies["sessionid"].value
            opened = [*sockets.members, *pages.members]
            await eventually(lambda k=new, o=opened: {one.session_key for one in o} == {k}, "the new key")
        await chat.send_message(type="ping", t=1)
        assert (await chat.receive_until("pong"))[-1]["t"] == 1
        await alice.client.alogout()
        assert await chat.receive_close_code(8) == 4401
        assert await dashboard.receive_close_code(8) == 4401


def give_new_key(alice: Browser) -> None:
    """Do what a proof of identity does."""
    request = HttpRequest()
    request.session = SessionStore(alice.client.cookies["sessionid"].value)
    renew_key(request)
    alice.client.cookies["sessionid"] = request.session.session_key


async def deleted() -> None:
    await Session.objects.all().adelete()


async def expired() -> None:
    await Session.objects.aupdate(expire_date=timezone.now())


@pytest.mark.parametrize(("ends", "every"), [(deleted, 0.1), (expired, OpenSockets.every)])
async def test_ended_session_closes_its_sockets_within_seconds(ends, every, monkeypatch):
    monkeypatch.setattr(OpenSockets, "every", every)
    async with browser() as alice:
        tabs = [await alice.open()]
        await tabs[0].ask()
        await tabs[0].receive_until("chat:queued")
        await eventually(Session.objects.exists, "the session of a visitor who has written")
        tabs.append(await alice.open())
        await ends()
        for tab in tabs:
            assert await tab.receive_close_code(8) == 4401


async def test_log_in_closes_the_sockets_of_the_previous_visitor(monkeypatch):
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        await tab.receive_until("chat:queued")
        await eventually(Session.objects.exists, "the session of a visitor who has written")
        await log_in(alice)
        await Session.objects.filter(session_key=stored_key(alice.first_key)).adelete()
        assert await tab.receive_close_code(8) == 4401


async def test_database_error_closes_no_sockets(monkeypatch):
    monkeypatch.setattr(OpenSockets, "every", 0.05)
    looked = asyncio.Event()

    def broken(_keys: Any) -> set[str]:
        looked.set()
        raise RuntimeError("no database")

    monkeypatch.setattr("chat.accounts.access.open_sockets.still_valid", broken)
    async with browser() as alice:
        tab = await alice.open()
        await asyncio.wait_for(looked.wait(), 5)
        await tab.send_message(type="ping", t=1)
        assert (await tab.receive_event())["type"] == "pong"


@pytest.mark.slow
async def test_hundreds_of_closed_sockets_leave_no_connections_or_groups(valkey):
    async with browser() as alice:

        async def visit(n: int) -> None:
            tab = await alice.open()
            if n % 5 == 0:
                await tab.ask(f"Question {n}", f"r-{n % 50}")
                await tab.receive_until("chat:queued")
            await tab.disconnect()

        def redis_side() -> tuple[int, list[str]]:
            return len(valkey.client.client_list()), valkey.client.pubsub_channels()

        for _ in range(10):  # pools grow to what ten at once need, and stay there
            await asyncio.gather(*(visit(n * 5) for n in range(10)))
            alice.tabs.pop_all()
        clients, _ = redis_side()
        for start in range(0, 500, 10):
            await asyncio.gather(*(visit(n) for n in range(start, start + 10)))
            alice.tabs.pop_all()
        gc.collect()
        await eventually(lambda: redis_side()[1] == [], "no subscription left")
        assert redis_side()[0] <= clients + 5, "connections of Redis pools, however many sockets there were"
        layer = get_channel_layer()
        assert (layer.channels, layer.groups) == ({}, {})
        for ticker in (OpenSockets, LostEventCheck, Positions, PressureWatch):
            assert ticker.for_running_loop().members == set()
