"""The second factor: staff need one for the administration and the dashboard, and codes work once."""

import re
import time
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from buddy.asgi import application
from chat.accounts.models import Token, UserSession
from chat.accounts.signing_in import second_factor
from tests.chat.accounts.account_client import (
    PASSWORD,
    send_message,
    sign_in,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import PAGE, Browser, browser
from tests.support.mail import outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: What is for staff, and what it answers to others.
FOR_STAFF = {
    "/admin/": 302,
    "/admin/auth/user/": 302,
    "/admin/queue": 302,
    "/admin/queue/confirm/pause?queue=openai-chat": 403,
    "/admin/analytics/": 302,
    "/metrics": 403,
}


@pytest.fixture
def required(settings: Any) -> Any:
    """A site whose staff need a second factor."""
    settings.STAFF_SECOND_FACTOR = True
    return settings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lets the time of the codes pass, in steps of 30 seconds."""
    steps = [0]

    def later(count: int = 1) -> None:
        steps[0] += count

    class Shifted:
        @staticmethod
        def time() -> float:
            return time.time() + steps[0] * 30

    monkeypatch.setattr(auth, "time", Shifted)
    return later


@sync_to_async
def superuser(name: str = "carol") -> User:
    return User.objects.create_superuser(name, password=PASSWORD)


def code_of(secret: str) -> str:
    """Return the code that an app shows now."""
    step = list(auth.yield_hotp_counters_from_time())[1]
    return auth.format_hotp_value(auth.hotp_value(secret, step))


async def set_up(carol: Browser) -> str:
    """Set up an app on the page; return its secret."""
    await carol.client.get("/account/second-factor/app/")
    secret = (await sync_to_async(carol.client.session.load)())[auth.SECRET_SESSION_KEY]
    done = await submit_form(carol, "second-factor/app/", code=code_of(secret))
    assert done["Location"] == "/account/second-factor/recovery-codes/"
    return secret


async def opens_dashboard_socket(carol: Browser) -> bool:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in carol.client.cookies.items())
    socket = WebsocketCommunicator(application, "/ws/queue", headers=[*PAGE, (b"cookie", cookies.encode())])
    opened, _ = await socket.connect(timeout=10)
    await socket.disconnect()
    return opened


async def answers(carol: Browser) -> dict[str, int]:
    return {path: (await carol.client.get(path)).status_code for path in FOR_STAFF}


# --- staff ------------------------------------------------------------------------------------------


async def test_first_superuser_sets_up_a_factor_at_the_first_sign_in_and_reaches_everything(required):
    await superuser()
    async with browser() as carol:
        asked = await carol.client.get("/admin/", follow=True)
        assert asked.redirect_chain[-1][0] == "/account/sign-in/?next=/admin/"
        after = await sign_in(carol, "carol", next="/admin/")
        assert after["Location"] == "/admin/"
        assert await answers(carol) == FOR_STAFF
        assert not await opens_dashboard_socket(carol)
        page = await carol.client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0].startswith("/account/second-factor/app/")
        assert "data:image/svg+xml;base64," in page.content.decode()

        await set_up(carol)
        codes = (await carol.client.get("/account/second-factor/recovery-codes/")).content.decode()
        assert codes.count("<li><code>") == 10
        assert set((await answers(carol)).values()) == {200}
        assert await opens_dashboard_socket(carol)


async def test_session_from_before_the_set_up_needs_a_code(required, clock):
    await superuser()
    async with browser() as laptop, browser() as phone:
        await sign_in(laptop, "carol")
        await sign_in(phone, "carol")
        secret = await set_up(phone)
        clock()
        assert await answers(laptop) == FOR_STAFF
        assert not await opens_dashboard_socket(laptop)
        page = await laptop.client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0].startswith("/account/second-factor/confirm/")
        done = await submit_form(laptop, "second-factor/confirm/", code=code_of(secret), next="/admin/queue")
        assert done["Location"] == "/admin/queue"
        assert set((await answers(laptop)).values()) == {200}


async def test_staff_show_the_factor_once_more_after_a_day(required, clock):
    """ASVS 7.1.1: a session with two factors has the 24 hours of NIST SP 800-63B."""
    await superuser()
    async with browser() as carol:
        await sign_in(carol, "carol")
        secret = await set_up(carol)
        clock()

        def age(hours: float) -> None:
            session = carol.client.session
            for record in session["account_authentication_methods"]:
                record["at"] -= hours * 3600
            session.save()

        await sync_to_async(age)(23.9)
        assert set((await answers(carol)).values()) == {200}
        await sync_to_async(age)(0.2)
        assert await answers(carol) == FOR_STAFF
        assert not await opens_dashboard_socket(carol)
        page = await carol.client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0].startswith("/account/second-factor/confirm/")
        assert (await carol.client.get("/account/")).status_code == 200
        await submit_form(carol, "second-factor/confirm/", code=code_of(secret), next="/admin/")
        assert set((await answers(carol)).values()) == {200}


@pytest.mark.parametrize(("tolerance", "valid"), [(None, {-1, 0, 1}), (0, {0})])
async def test_code_of_an_app_is_valid_for_as_long_as_the_operator_tolerates(
    settings, monkeypatch, tolerance: int | None, valid: set[int]
):
    """ASVS 6.5.5: with 0, a code is valid for its half minute alone."""
    if tolerance is not None:
        settings.MFA_TOTP_TOLERANCE = tolerance
    now = SimpleNamespace(time=lambda: 1_800_000_015.0)
    monkeypatch.setattr(auth, "time", now)
    user, secret = await superuser(), auth.generate_totp_secret()
    found = set()
    for steps in range(-3, 4):
        app = (await sync_to_async(auth.TOTP.activate)(user, secret)).instance
        code = auth.format_hotp_value(auth.hotp_value(secret, 60_000_000 + steps))
        if await sync_to_async(second_factor.use_once)(app, code):
            found.add(steps)
        await app.adelete()
    assert found == valid


async def test_open_dashboard_socket_closes_when_a_factor_becomes_required(settings):
    await superuser()
    async with browser() as carol:
        await sign_in(carol, "carol")
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in carol.client.cookies.items())
        socket = WebsocketCommunicator(
            application, "/ws/queue", headers=[*PAGE, (b"cookie", cookies.encode())]
        )
        assert (await socket.connect(timeout=10))[0]
        settings.STAFF_SECOND_FACTOR = True
        while (await socket.receive_output(10))["type"] != "websocket.close":
            await socket.send_to('{"seen": 1}')


async def test_staff_without_the_requirement_need_only_the_password():
    await superuser()
    async with browser() as carol:
        assert (await sign_in(carol, "carol", next="/admin/"))["Location"] == "/admin/"
        assert set((await answers(carol)).values()) == {200}


async def test_user_who_is_not_staff_gets_403_and_needs_no_factor(required):
    await sync_to_async(User.objects.create_user)("bob", password=PASSWORD)
    async with browser() as bob:
        assert (await sign_in(bob, "bob"))["Location"] == "/"
        refused = await bob.client.get("/admin/", follow=True)
        assert refused.status_code == 403
        assert b"does not have the permission" in refused.content


async def test_admin_has_no_password_form_of_its_own(required):
    """Django's own forms of the admin would ask for no second factor."""
    await superuser()
    async with browser() as carol:
        posted = await carol.client.post("/admin/login/", {"username": "carol", "password": PASSWORD})
        assert posted["Location"].startswith("/account/sign-in/")
        await sign_in(carol, "carol")
        await set_up(carol)
        assert (await carol.client.get("/admin/password_change/"))["Location"] == "/account/password/"


async def test_last_factor_of_staff_cannot_be_removed(required):
    await superuser()
    async with browser() as carol:
        await sign_in(carol, "carol")
        await set_up(carol)
        page = await submit_form(carol, "second-factor/app/remove/")
        assert b"this is the only one" in page.content
        assert await Authenticator.objects.filter(type="totp").aexists()


# --- signing in with a code -------------------------------------------------------------------------


async def test_sign_in_asks_for_a_code_and_keeps_the_visitors_conversations(clock):
    await superuser()
    async with browser() as laptop, browser() as phone:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        await send_message(phone, "On the phone")
        asked = await sign_in(phone, "carol", next="/account/")
        assert asked["Location"] == "/account/second-factor/code/"
        assert b"You are not signed in" in (await phone.client.get("/account/")).content
        wrong = await submit_form(phone, "second-factor/code/", code="000000")
        assert b"This code is wrong" in wrong.content
        right = await submit_form(phone, "second-factor/code/", code=code_of(secret))
        assert right["Location"] == "/account/"
        assert await thread_titles(phone) == ["On the phone"]


async def test_reset_of_the_password_leaves_the_second_factor(mail_server, clock):
    """ASVS 6.4.3: who has the mailbox alone gets no further than to the code."""
    async with browser() as laptop, browser() as thief:
        await sign_up_with_address(laptop)
        secret = await set_up(laptop)
        clock()
        await submit_form(thief, "reset/", email="alice@example.org")
        link = re.search(r"https://buddy.example.org(/account/reset/\S+)", (await outbox())[-1].body)
        assert link
        form = (await thief.client.get(link[1], follow=True)).request["path"].removeprefix("/account/")
        await submit_form(thief, form, password1="another-4711", password2="another-4711")
        assert b"You are not signed in" in (await thief.client.get("/account/")).content
        asked = await sign_in(thief, "alice@example.org", "another-4711")
        assert asked["Location"] == "/account/second-factor/code/"
        assert b"You are not signed in" in (await thief.client.get("/account/")).content
        assert (await submit_form(thief, "second-factor/code/", code=code_of(secret))).status_code == 302


async def test_code_works_once_also_within_its_time(clock):
    """The cache in which allauth remembers used codes is that of one process: here it is emptied."""
    from django.core.cache import cache

    await superuser()
    async with browser() as laptop, browser() as phone, browser() as mallory:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        code = code_of(secret)
        for thief in (phone, mallory):
            await sign_in(thief, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code)).status_code == 302
        cache.clear()
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200
        clock()
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200


async def test_code_that_arrives_twice_at_the_same_time_works_once(clock):
    await superuser()
    async with browser() as laptop:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        rows = [await Authenticator.objects.aget(type="totp") for _ in range(2)]
        uses = [await sync_to_async(second_factor.use_once)(row, code_of(secret)) for row in rows]
        assert uses == [True, False]


async def test_recovery_code_works_once(clock):
    await superuser()
    async with browser() as laptop, browser() as phone, browser() as mallory:
        await sign_in(laptop, "carol")
        await set_up(laptop)
        row = await Authenticator.objects.aget(type="recovery_codes")
        code = row.wrap().get_unused_codes()[0]
        for one in (phone, mallory):
            await sign_in(one, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code)).status_code == 302
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200


async def test_codes_over_the_limit_of_the_account_are_429(settings, clock):
    await superuser()
    async with browser() as laptop, browser() as mallory:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        await sign_in(mallory, "carol")
        settings.LIMITS = settings.LIMITS | {"account": "3/minute", "login": "2/minute"}
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        for n in range(3):
            mallory.client.defaults["x-forwarded-for"] = f"192.0.2.{n}"
            wrong = await submit_form(mallory, "second-factor/code/", code="000000")
            assert wrong.status_code == 200
        refused = await submit_form(mallory, "second-factor/code/", code=code_of(secret))
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) >= 1


# --- at rest, and the lost device -------------------------------------------------------------------


async def test_secrets_are_encrypted_and_readable_after_a_change_of_the_key(settings, clock):
    await superuser()
    async with browser() as carol, browser() as phone:
        await sign_in(carol, "carol")
        secret = await set_up(carol)
        rows = str([row async for row in Authenticator.objects.values()])
        assert secret not in rows
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
        clock()
        await sign_in(phone, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code_of(secret))).status_code == 302


async def test_reset_command_removes_the_factor_ends_all_access_and_notifies_the_owner(mail_server):
    async with browser() as carol, browser() as phone:
        await sign_up_with_address(carol, "carol@example.org")
        await set_up(carol)
        await submit_form(carol, "tokens/", name="Script", scopes=["read"], days="")
        out = StringIO()
        await sync_to_async(call_command)("reset_second_factor", "carol@example.org", stdout=out)
        assert "was removed" in out.getvalue()
        assert not await Authenticator.objects.aexists()
        assert not await Token.objects.aexists()
        assert not await UserSession.objects.aexists()
        assert "has removed your second factor" in (await outbox())[-1].body
        assert (await sign_in(phone, "carol"))["Location"] == "/"


@pytest.mark.parametrize("name", ["carol", "unknown"])
async def test_reset_command_without_user_or_factor_reports_it(name):
    await superuser()
    with pytest.raises(CommandError):
        await sync_to_async(call_command)("reset_second_factor", name)
