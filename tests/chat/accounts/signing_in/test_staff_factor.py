"""Staff need a second factor for the administration and the dashboard."""

from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from buddy.asgi import application
from chat.accounts.signing_in import second_factor
from tests.chat.accounts.account_client import (
    PASSWORD,
    sign_in,
    submit_form,
)
from tests.chat.browser import PAGE, browser

from .factor_steps import FOR_STAFF, answers, code_of, opens_dashboard_socket, set_up, superuser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


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
