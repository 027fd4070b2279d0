"""A right that ends, ends everywhere: sockets, event streams, pages and API calls (S1, S2)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import AsyncClient

from buddy.asgi import application
from chat.accounts.access import tokens
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.models import Token
from chat.models import Thread
from queueing.api import Job
from tests.chat.accounts.account_client import PASSWORD, send_message, sign_in, sign_up, submit_form
from tests.chat.browser import Browser, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

NEW = "another-4711"
#: The seconds within which everything of a user has ended.
BOUND = 6.0

End = Callable[[Browser, User], Awaitable[Any]]


async def by_the_password_page(_phone: Browser, user: User) -> None:
    async with browser() as laptop:
        await sign_in(laptop)
        await submit_form(laptop, "password/", oldpassword=PASSWORD, password1=NEW, password2=NEW)


@sync_to_async
def by_an_operator_in_the_shell(_phone: Browser, user: User) -> None:
    user.set_password(NEW)
    user.save()


@sync_to_async
def by_changepassword(_phone: Browser, user: User) -> None:
    from django.contrib.auth.management.commands.changepassword import Command

    command = Command()
    command._get_pass = lambda prompt="": NEW  # type: ignore[method-assign]  # it reads from a terminal
    call_command(command, "alice")


async def by_deactivation(_phone: Browser, user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def by_deletion(_phone: Browser, user: User) -> None:
    await user.adelete()


async def by_deletion_of_many(_phone: Browser, user: User) -> None:
    await User.objects.filter(pk=user.pk).adelete()


ENDS = [
    by_the_password_page,
    by_an_operator_in_the_shell,
    by_changepassword,
    by_deactivation,
    by_deletion,
    by_deletion_of_many,
]


@sync_to_async
def issued(user: User, *scopes: str) -> str:
    return tokens.issue(user, name="A script", scopes=list(scopes))[1]


def with_token(secret: str) -> Tab:
    headers = [(b"authorization", f"Bearer {secret}".encode())]
    return Tab(application, "/ws/", headers=headers)


async def connected(tab: WebsocketCommunicator) -> bool:
    return (await tab.connect(timeout=10))[0]


async def end_of(response: Any) -> None:
    """Return when the stream ends."""
    async for _ in response:
        pass


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_access_that_ends_closes_everything_that_it_opened(end: End, monkeypatch):
    """The time between checks is shorter here; the other tests have the real one."""
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    async with browser() as phone:
        await sign_up(phone)
        user = await User.objects.aget(username="alice")
        secret = await issued(user, "read", "chat")
        job_id = (await send_message(phone))["jobId"]
        script, headers = AsyncClient(), {"Authorization": f"Bearer {secret}"}
        streams = [
            await phone.client.get(f"/api/jobs/{job_id}/events"),
            await script.get(f"/api/jobs/{job_id}/events", headers=headers),
        ]
        tabs = [await phone.open(), with_token(secret)]
        assert await connected(tabs[1])
        await end(phone, user)
        for tab in tabs:
            assert await tab.receive_close_code(BOUND) == 4401
        for stream in streams:
            await end_of(stream)
        assert b"You are not signed in" in (await phone.client.get("/account/")).content
        assert (await script.get("/api/threads", headers=headers)).status_code == 401
        assert not await connected(with_token(secret))


async def test_password_set_by_an_update_ends_sessions_and_their_sockets():
    """Django's sessions hold a hash of the password, which is compared with the stored one."""
    async with browser() as phone:
        await sign_up(phone)
        tab = await phone.open()
        await User.objects.aupdate(password=make_password(NEW))
        assert await tab.receive_close_code(BOUND) == 4401


async def test_stronger_hash_of_the_same_password_keeps_tokens(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    async with browser() as phone:
        await sign_up(phone)
        user = await User.objects.aget(username="alice")
        await issued(user, "read")
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.ScryptPasswordHasher",
            *settings.PASSWORD_HASHERS,
        ]
        async with browser() as laptop:
            assert (await sign_in(laptop)).status_code == 302
        assert (await User.objects.aget(pk=user.pk)).password.startswith("scrypt")
        assert await Token.objects.acount() == 1


@pytest.mark.parametrize("end", [by_deletion, by_deletion_of_many])
async def test_deleted_user_leaves_no_conversations_or_jobs(end: End):
    async with browser() as phone:
        await sign_up(phone)
        await send_message(phone)
        await end(phone, await User.objects.aget(username="alice"))
    assert not await Thread.objects.aexists()
    assert not await Job.objects.aexists()


async def test_token_without_read_opens_no_socket():
    user = await User.objects.acreate(username="alice")
    assert not await connected(with_token(await issued(user, "chat")))


async def test_token_that_may_only_read_sends_nothing_over_its_socket():
    user = await User.objects.acreate(username="alice")
    tab = with_token(await issued(user, "read"))
    assert await connected(tab)
    await tab.receive_until("hello")
    await tab.ask("Where to?")
    refused = await tab.receive_event()
    assert (refused["type"], refused["code"]) == ("error", "insufficient_scope")
    assert not await Job.objects.aexists()
    await tab.disconnect()
