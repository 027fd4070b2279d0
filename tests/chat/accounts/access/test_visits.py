"""S9: a visit leaves no row. The session of a visitor is stored with the first thing that is kept."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.signing import TimestampSigner
from django.test import AsyncClient
from django.utils import timezone

from buddy.asgi import application
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.owners import owner_of_session
from chat.accounts.access.sessions.store import ENDED, SessionStore, is_of_visitor, stored_key
from chat.accounts.models import UserSession
from chat.accounts.signing_in.sessions import sweep
from chat.models import Thread
from chat.socket import handlers
from queueing.record.pruning import registered_steps
from tests.chat.accounts.account_client import send_message, sign_up, submit_form, thread_titles
from tests.chat.browser import PAGE, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ZEROS = "0" * 32


async def rows() -> int:
    return await Session.objects.acount()


@pytest.mark.parametrize(
    "path",
    ["/", f"/t/{ZEROS}", "/account/", "/account/export/", "/account/erase/", "/api/threads", "/api/usage"],
)
async def test_visit_of_a_page_stores_no_session(path):
    client = AsyncClient()
    for _ in range(3):
        assert (await client.get(path)).status_code == 200
    assert is_of_visitor(client.cookies["sessionid"].value)
    assert await rows() == 0


async def test_refused_and_reading_requests_store_no_session():
    """Nor does an event: it belongs to a hash of the day."""
    event = {"name": "x:y"}
    for path, body in (("travel", {}), (f"jobs/{ZEROS}/retry", {}), ("analytics/track", event)):
        await AsyncClient().post(f"/api/{path}", body, content_type="application/json")
    assert await rows() == 0


async def test_handshakes_and_reading_messages_store_no_session():
    for _ in range(3):
        tab = Tab(application, "/ws/", headers=PAGE)
        assert (await tab.connect(timeout=10))[0]
        await tab.receive_event()
        await tab.send_message(type="ping", t=1)
        await tab.receive_until("pong")
        await tab.send_message(type="job:watch", jobId=ZEROS)
        await tab.receive_until("error")
        await tab.disconnect()
    assert await rows() == 0


async def test_first_message_stores_the_session_of_the_same_visitor():
    """Over the socket, whose handshake could set no cookie, and over HTTP."""
    async with browser() as alice:
        tab = await alice.open()
        key = alice.client.cookies["sessionid"].value
        await tab.ask("Where to?")
        await tab.receive_until("chat:queued")
        assert await thread_titles(alice) == ["Where to?"]
        assert await Session.objects.filter(session_key=stored_key(key)).aexists()
        other = await alice.open()
        await other.ask("And then?", "r-2")
        await other.receive_until("chat:queued")
        assert await rows() == 1
        assert alice.client.cookies["sessionid"].value == key
    client = AsyncClient()
    answer = await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    assert answer.status_code == 202
    assert await rows() == 2
    assert len((await client.get("/api/threads")).json()["threads"]) == 1


async def test_two_first_messages_at_once_store_one_session():
    async with browser() as alice:
        tabs = [await alice.open(), await alice.open()]
        for number, tab in enumerate(tabs):
            await tab.ask(f"Question {number}", f"r-{number}")
        for tab in tabs:
            await tab.receive_until("chat:queued")
        assert await rows() == 1
        assert len(await thread_titles(alice)) == 2


@pytest.mark.parametrize("end", ["sign-up", "erasing"])
async def test_session_that_ends_while_the_first_message_is_accepted_ends_the_socket(monkeypatch, end):
    """The session is stored before anything of its visitor is, so that its end finds a row."""
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    async with browser() as alice:
        tab = await alice.open()
        key = alice.client.cookies["sessionid"].value
        is_written, may_answer = asyncio.Event(), asyncio.Event()
        queued_event = handlers.serializers.queued_event

        async def held(submission):
            is_written.set()
            await may_answer.wait()
            return await queued_event(submission)

        monkeypatch.setattr(handlers.serializers, "queued_event", held)
        await tab.ask("Where to?")
        await asyncio.wait_for(is_written.wait(), 10)
        if end == "sign-up":
            await sign_up(alice)
        else:
            await submit_form(alice, "erase/", confirmed="on")
        may_answer.set()
        assert await tab.receive_close_code() == 4401
        row = await Session.objects.aget(session_key=stored_key(key))
        assert row.session_data == ENDED


async def test_cancelling_and_withdrawing_store_no_session():
    tab = Tab(application, "/ws/", headers=PAGE)
    assert (await tab.connect(timeout=10))[0]
    await tab.receive_event()
    for message in ({"type": "job:cancel", "jobId": ZEROS}, {"type": "message:withdraw", "messageId": ZEROS}):
        await tab.send_message(**message)
        await tab.receive_until("error")
    assert await rows() == 0
    await tab.disconnect()


@pytest.mark.parametrize("forged", ["a" * 32, "a" * 32 + ".1abcde.signature", "", "é", "a.b.c"])
async def test_key_that_this_site_did_not_make_is_replaced(forged):
    client = AsyncClient()
    client.cookies["sessionid"] = forged
    await client.get("/")
    assert client.cookies["sessionid"].value != forged


def test_old_key_is_of_no_visitor(settings):
    key = TimestampSigner(sep=".", salt="visitor").sign("a" * 32)
    assert is_of_visitor(key)
    settings.SESSION_COOKIE_AGE = -1
    assert not is_of_visitor(key)


async def test_ended_session_opens_nothing_although_its_key_is_signed():
    """After erasing, and after signing in: the row says so until the key expires."""
    async with browser() as alice, browser() as bob:
        for one in (alice, bob):
            await send_message(one)
        keys = [one.client.cookies["sessionid"].value for one in (alice, bob)]
        await submit_form(alice, "erase/", confirmed="on")
        await sign_up(bob)
    for key in keys:
        client = AsyncClient()
        client.cookies["sessionid"] = key
        assert (await client.get("/api/threads")).json()["threads"] == []
        assert client.cookies["sessionid"].value != key


async def test_signing_in_without_anything_kept_ends_other_tabs_as_well():
    async with browser() as alice:
        tab = await alice.open()
        await sign_up(alice)
        assert await tab.receive_close_code(8) == 4401


def make_thread(owner: str, title: str) -> None:
    Thread.objects.create(owner=owner, companion="travel", title=title, updated_at=timezone.now())


def test_expired_sessions_are_swept_with_the_data_of_their_visitors(django_user_model):
    """Those of users are deleted without the data, and unexpired ones stay."""
    assert sweep in registered_steps()
    user = User.objects.create_user("alice")
    owners = []
    for number in range(4):
        session = SessionStore()
        session.begin_visit()
        session.keep()
        owners.append(owner_of_session(session))
        Thread.objects.create(
            owner=owners[-1], companion="travel", title=str(number), updated_at=timezone.now()
        )
    make_thread(f"u:{user.pk}", "user")
    of_user = SessionStore()
    of_user.create()
    UserSession.objects.create(user=user, session_key=stored_key(of_user.session_key))
    before = timezone.now() - timedelta(seconds=1)
    expired = [*(owner.removeprefix("s:") for owner in owners[:3]), stored_key(of_user.session_key)]
    Session.objects.filter(session_key__in=expired).update(expire_date=before)
    assert sweep() == 4
    assert sweep() == 0
    assert set(Thread.objects.values_list("title", flat=True)) == {"3", "user"}
    assert not UserSession.objects.exists()


async def test_session_of_a_visitor_who_comes_back_is_stored_for_longer():
    client = AsyncClient()
    await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    soon = timezone.now() + timedelta(days=5)
    await Session.objects.aupdate(expire_date=soon)
    await client.get("/")
    session = await Session.objects.aget()
    assert session.expire_date > soon + timedelta(days=30)
    assert client.cookies["sessionid"]["max-age"] == django_settings.SESSION_COOKIE_AGE


async def test_new_visitors_of_one_network_are_limited(settings):
    """By address, whatever cookie they bring. Those who have written before are not."""
    settings.LIMITS = settings.LIMITS | {"visitors": "2/hour"}
    clients = [AsyncClient() for _ in range(3)]
    answers = [await ask(client) for client in clients]
    assert answers == [202, 202, 429]
    assert await ask(clients[0]) == 202
    assert await rows() == 2
    tab = Tab(application, "/ws/", headers=PAGE)
    tab.scope["client"] = ("127.0.0.1", 1)
    assert (await tab.connect(timeout=10))[0]
    await tab.ask()
    assert (await tab.receive_until("chat:rejected"))[-1]["code"] == "rate_limited"
    await tab.disconnect()
    assert await sync_to_async(Thread.objects.count)() == 3


async def ask(client: AsyncClient) -> int:
    answer = await client.post(
        "/api/travel",
        {"message": "Hi"},
        content_type="application/json",
        headers={"X-CSRFToken": client.cookies["csrftoken"].value} if client.cookies else {},
    )
    return int(answer.status_code)


@pytest.mark.parametrize("path", ["/account/", "/account/export/", "/api/queue/status"])
async def test_costly_pages_of_all_people_are_limited_by_network(settings, path):
    """S25: what costs about ten milliseconds is counted, also without a cookie."""
    settings.LIMITS = settings.LIMITS | {"requests": "2/minute"}
    answers = [await AsyncClient().get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) <= 60
