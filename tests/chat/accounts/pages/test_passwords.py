"""Changed and forgotten passwords, and merging while workers run."""

import gzip
import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    get_password_validators,
    validate_password,
)
from django.core.exceptions import ValidationError

from buddy import settings as shipped
from chat.accounts.models import UserSession
from chat.accounts.personal_data.merge import merge
from chat.models import Message, Thread
from queueing.api import Job
from tests.chat.accounts.account_client import (
    PASSWORD,
    send_message,
    sign_in,
    sign_up,
    sign_up_with_address,
    submit_form,
)
from tests.chat.browser import browser
from tests.support.mail import outbox
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_breached_passwords_of_the_local_list_are_refused():
    """ASVS 5, 6.2.4 and 6.2.12: more than 3,000 of the length that the site asks for."""
    path = CommonPasswordValidator().DEFAULT_PASSWORD_LIST_PATH
    breached = gzip.decompress(path.read_bytes()).decode().split("\n")
    taken = [one.strip() for one in breached if len(one.strip()) >= 8]
    assert len(taken) > 7_000
    validators = get_password_validators(shipped.AUTH_PASSWORD_VALIDATORS)
    for one in (*taken[::70], taken[0].upper()):
        with pytest.raises(ValidationError):
            validate_password(one, password_validators=validators)


@pytest.mark.parametrize(
    "password", ["4715926048", "zweiundvierzig", "ÄÖÜSZLIG", "字字字字字字字字", "buddy-of-4711-herons"]
)
def test_password_of_any_kind_of_characters_is_taken(password):
    """ASVS 5, 6.2.5. A word of the site is no reason either, if enough is left without it."""
    validate_password(password, password_validators=get_password_validators(shipped.AUTH_PASSWORD_VALIDATORS))


@pytest.mark.parametrize(
    "password", ["buddybuddy", "BuddyCompanion1", "herons.example!", "emotional", "culture42"]
)
def test_password_of_words_of_the_site_is_refused(password, settings):
    """ASVS 5, 6.2.11."""
    settings.SITE_ORIGIN = "https://www.herons.example"
    with pytest.raises(ValidationError):
        validate_password(
            password, password_validators=get_password_validators(shipped.AUTH_PASSWORD_VALIDATORS)
        )


async def test_password_change_signs_out_other_devices_and_closes_their_sockets():
    async with browser() as laptop, browser() as phone:
        await sign_up(laptop)
        await sign_in(phone)
        tab = await phone.open()
        response = await submit_form(
            laptop,
            "password/",
            oldpassword=PASSWORD,
            password1="another-4711",
            password2="another-4711",
        )
        assert response.status_code == 302
        assert await tab.receive_close_code(8) == 4401
        assert b"alice" in (await laptop.client.get("/account/")).content
        assert b"You are not signed in" in (await phone.client.get("/account/")).content
        assert await UserSession.objects.acount() == 1


async def test_forgotten_password_is_reset_by_mail(mail_server):
    async with browser() as laptop, browser() as phone:
        await sign_up_with_address(laptop)
        (await outbox()).clear()
        unknown = await submit_form(phone, "reset/", follow=True, email="nobody@example.org")
        known = await submit_form(phone, "reset/", follow=True, email="alice@example.org")
        assert unknown.content == known.content
        to_unknown, sent = await outbox()
        assert "new password here" not in to_unknown.body
        link = re.search(r"https://buddy.example.org(/account/reset/\S+)", sent.body)[1]  # type: ignore[index]
        form = await phone.client.get(link, follow=True)
        token = phone.client.cookies["csrftoken"].value
        await phone.client.post(
            form.request["path"],
            {"password1": "another-4711", "password2": "another-4711", "csrfmiddlewaretoken": token},
        )
        assert "was reset with a link" in (await outbox())[-1].body
        assert (await sign_in(phone, "alice@example.org", "another-4711")).status_code == 302
        assert b"You are not signed in" in (await laptop.client.get("/account/")).content
        assert b"This link has expired" in (await phone.client.get(link, follow=True)).content


async def test_reset_without_mail_server_is_404():
    async with browser() as alice:
        assert (await alice.client.get("/account/reset/")).status_code == 404
        assert b"Forgot" not in (await alice.client.get("/account/sign-in/")).content


async def test_merge_while_worker_finishes_jobs_merges_everything(workers):
    async with browser() as alice:
        for n in range(6):
            await send_message(alice, f"Question {n}")
        old = (await Thread.objects.afirst()).owner
        await sync_to_async(merge)(old, "u:77")
        await eventually(
            lambda: Job.objects.filter(state="completed", kind="chat.reply").count() == 6, "all answers"
        )
    assert {job.owner async for job in Job.objects.all()} == {"u:77"}
    assert await Message.objects.filter(role="assistant", content="").acount() == 0
