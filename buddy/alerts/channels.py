"""The ways to operators: e-mail, a webhook, Slack's form of one. All functions block.

They are used at once, and not through the queue of e-mails: that one may be what does not work.
"""

import json
import logging
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from . import texts

logger = logging.getLogger(__name__)

#: Seconds that a server may take.
_TIMEOUT = 10.0


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message: a warning began, or is over."""

    id: str
    """The same at each attempt."""
    code: str
    queue: str
    level: str
    text: str
    since: datetime
    over_at: datetime | None


class Channel(NamedTuple):
    """A way to tell operators. `send` raises an exception if it did not work."""

    name: str
    send: Callable[[Message], None]


def configured() -> list[Channel]:
    """Return the channels of the settings."""
    found = []
    if settings.ALERT_EMAILS:
        found.append(Channel("email", _send_email))
    if settings.ALERT_WEBHOOK_URL:
        found.append(Channel("webhook", _send_webhook))
    if settings.ALERT_SLACK_URL:
        found.append(Channel("slack", _send_slack))
    return found


def works(channel: Channel, message: Message) -> bool:
    """Send a message. Return False, with a line in the log, if that failed."""
    try:
        channel.send(message)
    except Exception as exc:
        logger.error("an alert was not sent by %s (%s)", channel.name, type(exc).__name__)
        return False
    return True


def _send_email(message: Message) -> None:
    site = urlsplit(settings.SITE_URL).hostname or "localhost"
    # A mailbox that gets the same mail twice shows it once.
    headers = {"Message-ID": f"<alert-{message.id}@{site}>", "Auto-Submitted": "auto-generated"}
    EmailMessage(
        texts.subject(message), texts.body(message), to=settings.ALERT_EMAILS, headers=headers
    ).send()


def _send_webhook(message: Message) -> None:
    status = "resolved" if message.over_at else "firing"
    fields = {name: getattr(message, name) for name in ("id", "code", "queue", "level", "text")}
    times = {"since": message.since.isoformat(), "until": message.over_at and message.over_at.isoformat()}
    _post(settings.ALERT_WEBHOOK_URL, {"status": status, **fields, **times, "site": settings.SITE_URL})


def _send_slack(message: Message) -> None:
    _post(settings.ALERT_SLACK_URL, {"text": f"*{texts.subject(message)}*\n{texts.body(message)}"})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would lose the message: a client repeats it as a GET."""

    def redirect_request(self, *args: Any) -> None:
        """Follow none: the answer is then an error."""


_opener = urllib.request.build_opener(_NoRedirect)


def _post(address: str, fields: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(fields).encode(), headers)  # noqa: S310 (checked)
    with _opener.open(request, timeout=_TIMEOUT):
        return
