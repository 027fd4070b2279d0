"""E-mail goes out as jobs, whatever the mail server does: no page waits for it, and no mail is lost (S6)."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.mail import EmailMessage
from django.utils import timezone

from chat.accounts import mail
from chat.accounts.models import OutgoingMail
from queueing.api import Job, Outage, Permanent, Retry, State, retry
from queueing.testing import drain, prune, rejecting
from tests.chat.accounts.account_client import PASSWORD, enter_address, sign_up_with_address, submit_form
from tests.chat.browser import browser
from tests.support.mail import SmtpServer, outbox
from tests.support.stores import everything_in_redis, everything_in_the_database
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LETTER = ("Subject", "Your code: ABCD-EFGH", "buddy@example.org", ["alice@example.org"])


def post() -> None:
    mail.post(EmailMessage(*LETTER), timedelta(hours=1))


def run(*, again: bool = False) -> Job:
    """Run the job of a mail once, and also its retries at once with `again`."""
    drain(queues=["mail"], delayed=again)
    return Job.objects.get(kind="account.mail")


# --- the pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["sign-up/", "reset/"])
async def test_page_with_a_mail_server_that_is_down_answers_as_ever(smtp: SmtpServer, path: str):
    smtp.stop()
    async with browser() as alice:
        fields = {"email": "alice@example.org", "password1": PASSWORD, "password2": PASSWORD}
        response = await submit_form(alice, path, **fields)
        assert response.status_code == 302
        assert await OutgoingMail.objects.acount() == 1


async def test_page_opens_no_connection_to_the_mail_server(smtp: SmtpServer, monkeypatch: Any):
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("a page waits for SMTP")

    async with browser() as alice:
        with monkeypatch.context() as patched:
            patched.setattr(smtplib, "SMTP", connect)
            await enter_address(alice, "alice@example.org")
            await submit_form(alice, "reset/", email="alice@example.org")
    assert await OutgoingMail.objects.acount() == 2


async def test_changed_password_is_reported_after_an_outage_of_the_mail_server(smtp: SmtpServer, mail_server):
    mail_server.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    async with browser() as alice:
        await sign_up_with_address(alice)
        mail_server.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        smtp.stop()
        fields = {"oldpassword": PASSWORD, "password1": "another-4711", "password2": "another-4711"}
        assert (await submit_form(alice, "password/", **fields)).status_code == 302
        await sync_to_async(drain)(queues=["mail"])
        smtp.start()
        await sync_to_async(drain)(queues=["mail"], delayed=True)
    assert ["has been changed" in one or "was changed" in one for one in smtp.messages] == [True]


async def test_full_queue_of_mails_is_a_sentence_with_the_time_to_wait(mail_server):
    async with browser() as alice:
        with rejecting(retry_after=7):
            refused = await enter_address(alice, "alice@example.org")
        assert (refused.status_code, refused["Retry-After"]) == (429, "7")
        assert b"Too many e-mails are waiting" in refused.content
        assert await outbox() == []


# --- the job ----------------------------------------------------------------------------------------


def test_mail_reaches_a_real_server_and_leaves_nothing(smtp: SmtpServer):
    post()
    assert run().state == State.COMPLETED
    assert "Your code: ABCD-EFGH" in smtp.messages[0]
    assert not OutgoingMail.objects.exists()


def test_server_that_is_down_gets_the_mail_when_it_is_back(smtp: SmtpServer):
    smtp.stop()
    post()
    assert run().state in (State.DELAYED, State.WAITING)
    smtp.start()
    assert run(again=True).state == State.COMPLETED
    assert len(smtp.messages) == 1


def test_server_that_hangs_gets_the_mail_when_it_answers_and_both_are_one_message(smtp: SmtpServer):
    smtp.hangs = 1.5
    post()
    assert run().state in (State.DELAYED, State.WAITING)
    smtp.hangs = 0
    assert run(again=True).state == State.COMPLETED
    wait_until(lambda: len(smtp.messages) >= 1, "the message")
    ids = {line for one in smtp.messages for line in one.splitlines() if line.startswith("Message-ID")}
    assert len(ids) == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_refusal_for_now_is_tried_again_and_a_final_one_is_not(smtp: SmtpServer, command: str):
    smtp.replies[command] = "451 Greylisted: try alice@example.org later"
    post()
    job = run()
    assert job.state == State.DELAYED
    smtp.replies[command] = "550 No such mailbox: alice@example.org"
    job = run(again=True)
    assert (job.state, job.error) == (
        State.FAILED,
        "The mail server has refused the e-mail with the code 550.",
    )
    assert not smtp.messages


def test_mail_that_failed_can_be_tried_again_by_an_operator(smtp: SmtpServer):
    smtp.replies["RCPT"] = "550 Relaying denied"
    post()
    job = run()
    smtp.replies.clear()
    retry(job.pk)
    assert run().state == State.COMPLETED
    assert len(smtp.messages) == 1


def test_mail_that_is_no_longer_valid_is_not_sent_and_deleted(smtp: SmtpServer):
    post()
    OutgoingMail.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert run().state == State.FAILED
    assert not smtp.messages
    prune()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (ConnectionRefusedError(), Outage),
        (TimeoutError(), Outage),
        (smtplib.SMTPServerDisconnected(), Outage),
        (smtplib.SMTPConnectError(421, b"busy"), Outage),
        (smtplib.SMTPAuthenticationError(535, b"no"), Outage),
        (smtplib.SMTPNotSupportedError(), Outage),
        (smtplib.SMTPSenderRefused(451, b"later", "a@b"), Retry),
        (smtplib.SMTPRecipientsRefused({"a@b": (450, b"later")}), Retry),
        (smtplib.SMTPRecipientsRefused({"a@b": (550, b"never")}), Permanent),
        (smtplib.SMTPDataError(554, b"spam"), Permanent),
    ],
    ids=repr,
)
def test_failure_means_what_the_server_said(error: Exception, meaning: type):
    assert type(mail.failure_of(error)) is meaning


# --- secrets ----------------------------------------------------------------------------------------


def test_code_and_address_of_a_waiting_or_failed_mail_are_in_no_store(smtp: SmtpServer, valkey: Any):
    smtp.replies["RCPT"] = "550 No such mailbox: alice@example.org ABCD-EFGH"
    for step in (post, run):
        step()
        stored = everything_in_the_database() + everything_in_redis(valkey.client)
        assert "ABCD-EFGH" not in stored
        assert "alice@example.org" not in stored


def test_mail_sealed_with_another_key_fails_with_a_sentence(smtp: SmtpServer, settings: Any):
    post()
    settings.SECRET_KEY = "another"
    assert run().error == "The e-mail cannot be read: SECRET_KEY has changed."
