"""Forgotten passwords, and moving seen from within."""

import re

import pytest
from asgiref.sync import sync_to_async
from django.core import mail

from chat.accounts.merge import move
from chat.accounts.models import SignIn
from chat.models import Message, Thread
from queueing.api import Job
from tests.chat.tabs import browser, eventually

from .signing import PASSWORD, asked, posted, signed_in, signed_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_another_password_signs_all_other_devices_out_and_closes_their_sockets():
    async with browser() as laptop, browser() as phone:
        await signed_up(laptop)
        await signed_in(phone)
        tab = await phone.open()
        response = await posted(
            laptop,
            "password/",
            old_password=PASSWORD,
            new_password1="another-4711",
            new_password2="another-4711",
        )
        assert response.status_code == 302
        assert await tab.closed_with(8) == 4401
        assert b"alice" in (await laptop.client.get("/account/")).content
        assert b"without an account" in (await phone.client.get("/account/")).content
        assert await SignIn.objects.acount() == 1


async def test_a_forgotten_password_is_replaced_by_mail(settings):
    settings.EMAIL_HOST = "mail.example.org"
    async with browser() as laptop, browser() as phone:
        await signed_up(laptop, "alice@example.org")
        unknown = await posted(phone, "reset/", follow=True, email="nobody@example.org")
        known = await posted(phone, "reset/", follow=True, email="alice@example.org")
        assert unknown.content == known.content
        (sent,) = mail.outbox
        link = re.search(r"http://testserver(/account/reset/\S+)", sent.body)[1]  # type: ignore[index]
        form = await phone.client.get(link, follow=True)
        token = phone.client.cookies["csrftoken"].value
        await phone.client.post(
            form.request["path"],
            {"new_password1": "another-4711", "new_password2": "another-4711", "csrfmiddlewaretoken": token},
        )
        assert (await signed_in(phone, "alice@example.org", "another-4711")).status_code == 302
        assert b"without an account" in (await laptop.client.get("/account/")).content
        assert b"This link is over" in (await phone.client.get(link, follow=True)).content


async def test_without_mail_no_reset_is_offered():
    async with browser() as alice:
        assert (await alice.client.get("/account/reset/")).status_code == 404
        assert b"Forgotten" not in (await alice.client.get("/account/sign-in/")).content


async def test_moving_while_a_worker_ends_jobs_moves_everything(workers):
    async with browser() as alice:
        for n in range(6):
            await asked(alice, f"Question {n}")
        old = (await Thread.objects.afirst()).owner
        await sync_to_async(move)(old, "u:77")
        await eventually(
            lambda: Job.objects.filter(state="completed", kind="chat.reply").count() == 6, "all answers"
        )
    assert {job.owner async for job in Job.objects.all()} == {"u:77"}
    assert await Message.objects.filter(role="assistant", content="").acount() == 0
