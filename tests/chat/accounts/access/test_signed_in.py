"""The sessions of a user: how long they last, where they are used, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chat.accounts.access.sessions import age
from chat.accounts.access.sessions.store import SessionStore
from chat.accounts.models import UserSession
from chat.accounts.pages.browsers import name_of
from queueing.testing import prune
from tests.chat.accounts.account_client import PASSWORD, sign_in, sign_up, submit_form
from tests.chat.browser import Browser, browser
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

_DAY = timedelta(days=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def is_signed_in(alice: Browser) -> bool:
    return b"You are not signed in" not in (await alice.client.get("/account/")).content


async def pass_time(alice: Browser, passed: timedelta) -> None:
    """Let the session of this browser be older by this time, and unused since then."""

    def move() -> None:
        store = SessionStore(alice.client.cookies["sessionid"].value)
        store[age.SINCE] -= passed.total_seconds()
        ends = Session.objects.get(session_key=store_key(store)).expire_date - passed
        store.save()
        Session.objects.filter(session_key=store_key(store)).update(expire_date=ends)

    await sync_to_async(move)()


def store_key(store: SessionStore) -> str:
    from chat.accounts.access.sessions.store import stored_key

    return stored_key(store.session_key or "")


# --- how long they last -----------------------------------------------------------------------------


async def test_session_that_is_not_used_ends():
    async with browser() as alice:
        await sign_up(alice)
        await pass_time(alice, 29 * _DAY)
        assert await is_signed_in(alice)
        await pass_time(alice, 31 * _DAY)
        assert not await is_signed_in(alice)


async def test_session_that_is_used_ends_after_the_maximum():
    async with browser() as alice:
        await sign_up(alice)
        for _ in range(4):
            await pass_time(alice, 20 * _DAY)
            assert await is_signed_in(alice)
        await pass_time(alice, 11 * _DAY)
        assert not await is_signed_in(alice)


async def test_session_of_an_earlier_version_gets_both_ends_with_its_next_use():
    """It says no beginning, and its row ends 90 days after it."""
    async with browser() as alice:
        await sign_up(alice)

        def as_before() -> None:
            store = SessionStore(alice.client.cookies["sessionid"].value)
            del store[age.SINCE]
            store.save()
            Session.objects.update(expire_date=timezone.now() + 80 * _DAY)

        await sync_to_async(as_before)()
        assert await is_signed_in(alice)
        left = (await Session.objects.aget()).expire_date - timezone.now()
        assert 29 * _DAY < left < 31 * _DAY


async def test_message_on_a_socket_is_a_use_and_a_ping_is_none():
    async with browser() as alice:
        await sign_up(alice)
        tab = await alice.open()
        await pass_time(alice, 10 * _DAY)
        before = (await Session.objects.aget()).expire_date
        await tab.send_message(type="ping", t=1)
        await tab.receive_until("pong")
        assert (await Session.objects.aget()).expire_date == before
        await tab.ask("Where to?")
        await tab.receive_until("chat:queued")
        await eventually(lambda: Session.objects.get().expire_date > before + 9 * _DAY, "the use")
        assert (await UserSession.objects.aget()).last_seen_at > timezone.now() - timedelta(minutes=1)


async def test_settings_shorten_both_ends(settings: Any):
    settings.SESSION_IDLE_SECONDS, settings.SESSION_COOKIE_AGE = 3600, 7200
    async with browser() as alice:
        await sign_up(alice)
        assert (await Session.objects.aget()).expire_date < timezone.now() + timedelta(hours=1, minutes=1)
        await pass_time(alice, timedelta(minutes=50))
        assert await is_signed_in(alice)
        await pass_time(alice, timedelta(minutes=61))
        assert not await is_signed_in(alice)


async def test_visitor_has_no_end_by_disuse_before_its_cookie(settings: Any):
    settings.SESSION_IDLE_SECONDS = 60
    async with browser() as alice:
        await alice.client.get("/")
        await alice.call("post", "/api/travel", {"message": "Where to?"})
        assert (await Session.objects.aget()).expire_date > timezone.now() + 80 * _DAY


# --- the page ---------------------------------------------------------------------------------------


async def test_page_shows_where_the_user_is_signed_in_and_ends_one_or_all_others():
    async with browser() as laptop, browser() as phone, browser() as other:
        await sign_up(laptop)
        laptop.client.defaults["HTTP_USER_AGENT"] = FIREFOX
        for one in (phone, other):
            await sign_in(one)
        tab = await phone.open()
        page = (await laptop.client.get("/account/sessions/")).content.decode()
        assert page.count("<li>") == 3
        assert page.count("this browser") == 1
        of_phone = await sync_to_async(lambda: UserSession.objects.order_by("created_at")[1].pk)()
        await submit_form(laptop, f"sessions/{of_phone}/end/")
        assert await tab.receive_close_code(8) == 4401
        assert [await is_signed_in(one) for one in (laptop, phone, other)] == [True, False, True]
        await submit_form(laptop, "sessions/end-others/")
        assert [await is_signed_in(one) for one in (laptop, other)] == [True, False]


async def test_session_of_another_user_is_not_ended():
    async with browser() as alice, browser() as mallory:
        await sign_up(alice)
        own = (await UserSession.objects.aget()).pk
        await sign_up(mallory, "mallory")
        await submit_form(mallory, f"sessions/{own}/end/")
        assert await is_signed_in(alice)


async def test_end_of_a_session_needs_a_recent_proof_and_then_happens():
    async with browser() as laptop, browser() as phone:
        await sign_up(laptop)
        await sign_in(phone)
        await old_proof(laptop)
        asked = await submit_form(laptop, "sessions/end-others/")
        assert asked["Location"].startswith("/account/confirm/")
        assert await is_signed_in(phone)
        await submit_form(laptop, "confirm/?next=/account/sessions/end-others/", password=PASSWORD)
        assert not await is_signed_in(phone)


async def old_proof(alice: Browser) -> None:
    """Let the last proof of identity in this session be older than fifteen minutes."""

    def move() -> None:
        store = alice.client.session
        for record in store["account_authentication_methods"]:
            record["at"] -= 16 * 60
        store.save()

    await sync_to_async(move)()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
        ("<script>Linux", "Unknown browser on Linux"),
    ],
)
def test_browser_has_a_name(agent: str, name: str):
    assert name_of(agent) == name


# --- deactivated users ------------------------------------------------------------------------------


async def _deactivated_by_save() -> None:
    user = await User.objects.aget()
    user.is_active = False
    await user.asave()


async def _deactivated_by_query() -> None:
    await User.objects.aupdate(is_active=False)
    await sync_to_async(prune)()


@pytest.mark.parametrize("deactivate", [_deactivated_by_save, _deactivated_by_query])
async def test_reactivated_user_does_not_get_the_old_sessions_back(deactivate: Any):
    async with browser() as alice:
        await sign_up(alice)
        cookie = alice.client.cookies["sessionid"].value
        await deactivate()
        await User.objects.aupdate(is_active=True)
        alice.client.cookies["sessionid"] = cookie
        assert not await is_signed_in(alice)
