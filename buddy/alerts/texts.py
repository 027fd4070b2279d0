"""What operators read in an alert."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    from .channels import Message

DATABASE = (
    "The database is unavailable, or takes no writes. "
    "Messages are not accepted, and nothing is lost that was accepted."
)
TRIAL = "This is a trial (manage.py try_alerts)."


def subject(message: "Message") -> str:
    """Return the first line."""
    what = " ".join(filter(None, (message.code, message.queue)))
    state = "over" if message.over_at else message.level
    return f"Buddy: {state}: {what}"


def body(message: "Message") -> str:
    """Return what happened, since when, and where to look."""
    since = timezone.localtime(message.since)
    lines = [message.text, f"Since {since:%Y-%m-%d %H:%M %Z}."]
    if message.over_at:
        until = timezone.localtime(message.over_at)
        lines = [f"It is over since {until:%Y-%m-%d %H:%M %Z}. It was:", *lines]
    if settings.SITE_URL:
        lines.append(f"{settings.SITE_URL}/admin/queue")
    return "\n".join(lines) + "\n"
