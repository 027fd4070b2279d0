"""`manage.py try_alerts`: send a trial to all channels."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from buddy.alerts import channels, texts
from queueing.api import new_id


class Command(BaseCommand):
    """Send a trial."""

    help = "Send a trial to ALERT_EMAILS, ALERT_WEBHOOK_URL and ALERT_SLACK_URL, and say which of them work."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with 1 if a channel fails, or if there is none."""
        now = timezone.now()
        trial = {"code": "trial", "queue": "", "level": "warning", "text": texts.TRIAL, "since": now}
        message = channels.Message(id=f"trial-{new_id().hex}", over_at=None, **trial)
        found = channels.configured()
        if not found:
            raise CommandError("No channel is configured: set ALERT_EMAILS, or another (docs/monitoring.md).")
        failed = []
        for channel in found:
            if channels.works(channel, message):
                self.stdout.write(f"{channel.name}: sent")
            else:
                failed.append(channel.name)
        if failed:
            raise CommandError(f"Not sent: {', '.join(failed)}. The lines above give the reasons.")
