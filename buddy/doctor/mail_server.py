"""The mail server: a connection with TLS and sign-in. A mail is sent only if an address is given."""

from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from .findings import OK, WARNING, Finding

ADVICE = "Check EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD."


def examine(recipient: str = "") -> Iterator[Finding]:
    """Yield whether the mail server lets us in; send a mail to `recipient`, if there is one."""
    if not settings.EMAIL_HOST:
        yield Finding(OK, "none is configured: accounts have names instead of e-mail addresses")
        return
    with get_connection() as server:
        yield Finding(OK, f"{settings.EMAIL_HOST} lets us sign in")
        if recipient:
            EmailMessage("A test", "Sent by manage.py doctor.", to=[recipient], connection=server).send()
            yield Finding(OK, f"a mail to {recipient} was accepted")
    if settings.EMAIL_HOST_PASSWORD and not settings.EMAIL_USE_TLS:
        yield Finding(WARNING, "the password is sent without TLS", "Set EMAIL_USE_TLS=1.")
