"""A site that can send e-mail, into `django.core.mail.outbox` or to a real SMTP server."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.mail import EmailMessage

from queueing.testing import drain
from tests.support.valkey import free_port


@pytest.fixture
def mail_server(settings: Any) -> Any:
    """A site that can send e-mail; return the settings."""
    from buddy.settings.accounts import by_mail

    settings.SENDS_MAIL, settings.SITE_URL = True, "https://buddy.example.org"
    for name, value in by_mail(True).items():
        setattr(settings, name, value)
    return settings


def delivered() -> list[EmailMessage]:
    """Run the jobs that send e-mail, and return all messages that were sent."""
    drain(queues=["mail"])
    return mail.outbox


outbox: Callable[[], Any] = sync_to_async(delivered)


class SmtpServer:
    """An SMTP server that replies as a test says."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        """What it replies to a command (`RCPT`, `DATA`); a reply of "" hangs up."""
        self.hangs = 0.0
        """Seconds for which it is silent before it takes a message."""
        self.messages: list[str] = []
        self.port = free_port()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen. Until then connections are refused."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections again."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Reply to RCPT."""
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def handle_DATA(self, server: Any, session: Any, envelope: Any) -> Any:
        """Reply to DATA."""
        return self._take(envelope)

    async def _take(self, envelope: Any) -> str:
        if self.hangs:
            await asyncio.sleep(self.hangs)
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.messages.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def smtp(mail_server: Any) -> Iterator[SmtpServer]:
    """A real SMTP server that listens, to which the site sends its e-mail."""
    server = SmtpServer()
    mail_server.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    mail_server.EMAIL_HOST, mail_server.EMAIL_PORT = "127.0.0.1", server.port
    mail_server.EMAIL_USE_TLS, mail_server.EMAIL_TIMEOUT = False, 1
    server.start()
    yield server
    server.stop()
