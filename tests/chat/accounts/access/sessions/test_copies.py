"""Copies of sessions in Redis spare a request its thread; the database stays the record of every session."""

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection

from chat.accounts.access.sessions import copies as session_copies
from chat.accounts.access.sessions.copies import Row, keep, outdate, read
from chat.accounts.access.sessions.store import SessionStore, stored_key
from chat.accounts.access.signed_in import Place, end_sessions, record_use
from chat.accounts.models import UserSession
from chat.accounts.signing_in.sessions import record_session
from queueing.api import redis
from tests.chat.accounts.account_client import send_message, sign_up, submit_form
from tests.chat.browser import Browser, browser
from tests.support.stores import everything_in_redis
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def sign_up_long_ago(alice: Browser) -> None:
    """Sign up, and let Redis forget the marks of the rows that were changed."""
    await sign_up(alice)
    await redis.aclient().flushdb()


async def page_owner(alice: Browser) -> str:
    """Return for whom the page is."""
    page = (await alice.client.get("/")).content.decode()
    return page.partition('data-owner="')[2].partition('"')[0]


def sql(statement: str, *parameters: Any) -> None:
    """Run a statement that no signal reports, as an operator may."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def copies() -> list[str]:
    return [value for key in redis.client().keys("*app:session:*") if (value := redis.client().get(key))]


async def test_copy_is_made_when_a_session_is_read_and_used_then():
    async with browser() as alice:
        await send_message(alice)
        owner = await page_owner(alice)
        assert len(await sync_to_async(copies)()) == 1
        await sync_to_async(sql)("DELETE FROM django_session")
        assert await page_owner(alice) == owner, "read from Redis"


async def test_session_that_ended_in_sql_has_ended_soon(monkeypatch):
    """No signal says so: only time ends the copy."""
    assert session_copies._SECONDS + session_copies._FRESH <= 4
    monkeypatch.setattr(session_copies, "_SECONDS", 1)
    async with browser() as alice:
        await sign_up_long_ago(alice)
        owner = await page_owner(alice)
        assert owner.startswith("u:")
        assert await page_owner(alice) == owner
        await sync_to_async(sql)("DELETE FROM django_session")
        await eventually(_ended(alice, owner), "the end of the session")


def _ended(alice: Browser, owner: str) -> Any:
    return lambda: async_to_sync(page_owner)(alice) != owner


@pytest.mark.parametrize("lose", ["flush", "silence"])
async def test_redis_that_is_lost_signs_nobody_out(lose, proxy):
    async with browser() as alice, browser() as bob:
        await sign_up_long_ago(alice)
        await send_message(bob)
        before = [await page_owner(alice), await page_owner(bob)]
        if lose == "flush":
            await redis.aclient().flushdb()
        else:
            proxy.freeze()
        assert [await page_owner(alice), await page_owner(bob)] == before
        if lose == "silence":
            proxy.recover()


async def test_signing_out_ends_the_copy_at_once():
    async with browser() as alice, browser() as thief:
        await sign_up_long_ago(alice)
        owner = await page_owner(alice)
        thief.client.cookies["sessionid"] = alice.client.cookies["sessionid"].value
        assert await page_owner(thief) == owner
        await submit_form(alice, "sign-out/")
        assert await page_owner(thief) != owner


async def test_copy_is_useless_without_the_key_and_cannot_be_made_without_the_secret():
    """S4: for who reads Redis, and for who writes to it."""
    async with browser() as alice:
        await sign_up_long_ago(alice)
        await page_owner(alice)
        key = alice.client.cookies["sessionid"].value
        digest = stored_key(key)
        text = await sync_to_async(everything_in_redis)(redis.client())
        assert digest in text
        assert key not in text
        row = await Session.objects.aget(session_key=digest)
        name = redis.app_key(f"session:{digest}")
        copy = await redis.aclient().get(name)
        assert await read(digest)
        for forged in (f"{digest} {time.time() + 60} {row.session_data}", copy[:-1] + "x", copy[1:], "", "x"):
            await redis.aclient().set(name, forged)
            assert await read(digest) is None
        await redis.aclient().set(redis.app_key(f"session:{'0' * 40}"), copy)
        assert await read("0" * 40) is None, "the copy of another session"


async def test_old_copy_is_refused_also_when_redis_still_has_it(monkeypatch):
    await sync_to_async(_stored)()
    row = await sync_to_async(_read)()
    with monkeypatch.context() as earlier:
        now = time.time()
        earlier.setattr("django.core.signing.time.time", lambda: now - session_copies._SECONDS - 1)
        await keep(row)
    assert await sync_to_async(copies)()
    assert await read(row.session_key) is None


async def test_row_that_was_read_before_its_change_makes_no_copy():
    await sync_to_async(_stored)()
    row = await sync_to_async(_read)()
    await sync_to_async(outdate)([row.session_key])  # another request changes it
    await keep(row)
    assert await read(row.session_key) is None
    await keep(row._replace(session_key="1" * 40, read_at=time.monotonic() - 2))
    assert await read("1" * 40) is None, "it was read too long ago"


def _stored() -> SessionStore:
    session = SessionStore()
    session.begin_visit()
    session.keep()
    return session


def _read() -> Row:
    row = Session.objects.get()
    return Row(row.session_key, row.session_data, row.expire_date, time.monotonic())


def _save(session: Any) -> None:
    session["x"] = 1
    session.save()


def _record_use(session: Any) -> None:
    session["since"], session["_auth_user_id"] = time.time(), str(User.objects.get().pk)
    record_use(session, Place("", ""))


#: Everything that changes or ends the row of a session.
CHANGES = {
    "save": _save,
    "delete": lambda session: session.delete(),
    "flush": lambda session: session.flush(),
    "new key": lambda session: session.cycle_key(),
    "use": _record_use,
    "end from elsewhere": lambda session: end_sessions(UserSession.objects.all()),
    "query": lambda session: Session.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("of_user", [True, False])
async def test_every_change_of_a_session_outdates_its_copy(change, of_user, rf):
    session = await sync_to_async(_stored_of)(rf, of_user)
    await redis.aclient().flushdb()
    row = await sync_to_async(_read)()
    await keep(row)
    assert await read(row.session_key)
    await sync_to_async(CHANGES[change])(session)
    assert await read(row.session_key) is None


def _stored_of(rf: Any, of_user: bool) -> SessionStore:
    user = User.objects.create_user("alice")
    session = SessionStore()
    if not of_user:
        session.begin_visit()
        session.keep()
    request = rf.get("/")
    request.session = session
    record_session(request, user)
    session.save()
    return SessionStore(session.session_key)
