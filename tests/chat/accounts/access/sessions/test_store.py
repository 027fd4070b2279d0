"""S4: who reads the database, Redis or a backup finds nothing that opens a session or an account."""

import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DjangoStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from chat.accounts.access.sessions.store import SessionStore, stored_key
from chat.accounts.access.tokens import issue
from chat.accounts.models import UserSession
from queueing.api import redis
from tests.chat.accounts.account_client import (
    send_message,
    sign_up,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import browser
from tests.support.mail import outbox
from tests.support.stores import everything_in_redis, everything_in_the_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def in_the_stores(secret: str) -> bool:
    """Return whether the database or Redis contains the secret."""
    return secret in everything_in_the_database() or secret in everything_in_redis(redis.client())


async def test_session_key_is_in_no_store():
    async with browser() as alice:
        await send_message(alice)
        as_visitor = alice.client.cookies["sessionid"].value
        assert await _found(as_visitor) is False
        await sign_up(alice)
        await alice.open()
        assert await _found(alice.client.cookies["sessionid"].value) is False


async def _found(secret: str) -> bool:
    return await sync_to_async(in_the_stores)(secret)


async def test_stored_values_of_a_session_do_not_sign_in():
    async with browser() as alice, browser() as mallory:
        await sign_up(alice)
        await send_message(alice, "Mine")
        rows = [row async for row in Session.objects.values_list("session_key", flat=True)]
        rows += [row async for row in UserSession.objects.values_list("session_key", flat=True)]
        for row in rows:
            mallory.client.cookies["sessionid"] = row
            assert await thread_titles(mallory) == []


async def test_reset_link_in_use_is_in_no_store(mail_server):
    async with browser() as alice:
        await sign_up_with_address(alice)
        await submit_form(alice, "reset/", follow=True, email="alice@example.org")
        sent = (await outbox())[-1]
        link = re.search(r"https://buddy.example.org(/account/reset/\S+)", sent.body)[1]  # type: ignore[index]
        await alice.client.get(link, follow=True)  # the form keeps the token in the session
        token = link.strip("/").rpartition("/")[2].partition("-")[2]
        assert await _found(token) is False
        rows = [row async for row in Session.objects.values_list("session_data", flat=True)]
        assert rows
        assert token not in str([DjangoStore().decode(row) for row in rows])


def test_api_token_is_in_no_store():
    _, secret = issue(User.objects.create_user("alice"), name="x", scopes=["read"])
    assert not in_the_stores(secret)


def test_session_of_another_key_cannot_be_read():
    mine, other = SessionStore(), SessionStore()
    mine["reset"] = "a-token"
    mine.create()
    other.create()
    Session.objects.filter(session_key=stored_key(other.session_key)).update(
        session_data=Session.objects.get(session_key=stored_key(mine.session_key)).session_data
    )
    assert SessionStore(other.session_key).get("reset") is None
    assert SessionStore(mine.session_key).get("reset") == "a-token"


@pytest.mark.parametrize("key", ["", "x", "\udcff" * 40, "ä" * 40, "a" * 10_000])
def test_odd_session_key_finds_nothing(key):
    assert SessionStore(key).get("visitor") is None
    assert not SessionStore().exists(key)


@pytest.fixture
def before_digests():
    """Migrate the app `accounts` back to the version that stored session keys, and forward after the test."""
    MigrationExecutor(connection).migrate([("accounts", "0002_plain_names")])
    yield
    call_command("migrate", "accounts", verbosity=0)


def _insert_as_before(user_id: int, session_key: str) -> None:
    """Insert a row without the columns of later versions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_usersession (user_id, session_key, created_at) VALUES (%s, %s, %s)",
            [user_id, session_key, timezone.now()],
        )


async def test_migration_keeps_visitors_and_users_signed_in(before_digests):
    alice = await User.objects.acreate_user("alice")
    session = DjangoStore()
    await session.aset("visitor", True)
    await session.acreate()
    await sync_to_async(_insert_as_before)(alice.pk, session.session_key)

    await sync_to_async(call_command)("migrate", "accounts", verbosity=0)

    assert await SessionStore(session.session_key).aget("visitor") is True
    assert (await UserSession.objects.aget()).session_key == stored_key(session.session_key)
    assert await _found(session.session_key) is False


def test_row_with_the_contents_of_another_visitor_opens_no_session():
    """Contents that were decrypted before are remembered with the digest of their key."""
    keys = []
    for _ in range(2):
        session = SessionStore()
        session.begin_visit()
        session.keep()
        keys.append(session.session_key)
    for key in keys:
        assert SessionStore(key).get("visitor") is True
    contents = Session.objects.get(session_key=stored_key(keys[0])).session_data
    Session.objects.filter(session_key=stored_key(keys[1])).update(session_data=contents)
    assert SessionStore(keys[0]).get("visitor") is True
    assert SessionStore(keys[1]).get("visitor") is None
