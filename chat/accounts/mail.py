"""E-mail goes out as jobs of the queue, so no page waits for the mail server, and a mail survives its outage.

A mail can have a code or a link that signs in. Until it is sent, its text is in a row of its own, encrypted
with `SECRET_KEY`. The job names only the row. It is deleted when the mail was sent or cancelled, and at the
latest when what it says is no longer valid.
"""

import json
from datetime import timedelta
from email.utils import make_msgid
from smtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from queueing.api import Ending, JobError, Outage, Permanent, Retry, State, submit

from . import texts
from .models import OutgoingMail
from .sealing import cipher

PURPOSE = "outgoing mail"
#: The reply of a server that closes the connection or that has no room: it says nothing about the mail.
_UNAVAILABLE = 421
#: Expired mails deleted at a time.
_PRUNED = 500


def sendable(address: str) -> str:
    """Return an address. Raise `ValidationError` if its host cannot be written in a mail."""
    try:
        address.rpartition("@")[2].encode("idna")
    except UnicodeError:
        raise ValidationError(texts.NO_ADDRESS, code="invalid") from None
    return address


def post(message: EmailMessage, lifetime: timedelta, share: str = "") -> None:
    """Submit a mail, which is worth sending for `lifetime`. Blocks.

    `share` is the network that asked for it. Raise `Rejected` when too many mails wait.
    """
    site = urlsplit(settings.SITE_URL).hostname or "localhost"
    parts = {
        "subject": message.subject,
        "body": message.body,
        "from_email": message.from_email,
        "to": message.to,
        # The same at each attempt: a mailbox that gets a mail twice shows it once.
        "headers": {**message.extra_headers, "Message-ID": make_msgid(domain=site)},
    }
    sealed = cipher(PURPOSE).encrypt(json.dumps(parts).encode()).decode()
    with transaction.atomic():
        row = OutgoingMail.objects.create(sealed=sealed, expires_at=timezone.now() + lifetime)
        submit("account.mail", {"mail_id": row.pk}, share=share)


def deliver(mail_id: int) -> None:
    """Hand a mail over to the mail server. Blocks. Raise a `JobError` that says whether to try again."""
    row = OutgoingMail.objects.filter(pk=mail_id, expires_at__gt=timezone.now()).first()
    if row is None:
        raise Permanent(texts.MAIL_EXPIRED, code="expired")
    try:
        parts = json.loads(cipher(PURPOSE).decrypt(row.sealed.encode()))
    except InvalidToken:
        raise Permanent(texts.MAIL_UNREADABLE, code="unreadable") from None
    try:
        EmailMessage(**parts).send()
    except (OSError, SMTPException) as exc:
        raise failure_of(exc) from None  # the exception repeats the address


def failure_of(error: Exception) -> JobError:
    """Return what a failed delivery means: another attempt, a wait of all mails, or the end.

    A server that cannot be reached, that hangs or that refuses our password fails for all mails. A refusal
    that begins with 4 asks for another attempt, and one with 5 is final.
    """
    code = _reply_code(error)
    if isinstance(error, SMTPAuthenticationError | SMTPNotSupportedError):
        return Outage(texts.MAIL_SIGN_IN_FAILED, code="not_configured", certain=False)
    if not code or code == _UNAVAILABLE:
        return Outage(texts.mail_server_unreachable(type(error).__name__), code="provider_unreachable")
    if code < 500:
        return Retry(texts.mail_refused(code), code="provider_error")
    return Permanent(texts.mail_refused(code), code="refused")


def _reply_code(error: Exception) -> int:
    """Return the code of the server's reply; 0 without one."""
    if isinstance(error, SMTPRecipientsRefused):
        return int(min(code for code, _ in error.recipients.values()))
    if isinstance(error, SMTPResponseException) and error.smtp_code >= 400:
        return int(error.smtp_code)
    return 0


def forget(ending: Ending) -> None:
    """Delete a mail that was sent or cancelled. One that failed can be tried again by an operator."""
    if ending.state != State.FAILED:
        OutgoingMail.objects.filter(pk=ending.args["mail_id"]).delete()


def prune() -> int:
    """Delete some mails that are no longer worth sending; return their number."""
    expired = OutgoingMail.objects.filter(expires_at__lte=timezone.now()).values_list("pk", flat=True)
    deleted, _ = OutgoingMail.objects.filter(pk__in=list(expired[:_PRUNED])).delete()
    return deleted
