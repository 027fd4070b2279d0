"""`manage.py invite`: make the link with which one person can sign up while SIGN_UP is `invited`."""

import getpass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chat.accounts.signing_in import signing_up


class Command(BaseCommand):
    """The command."""

    help = "Make a link with which one person can sign up. It is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--note", default="", help="for whom it is; only operators read it")
        parser.add_argument("--days", type=float, default=7, help="the days for which it is valid")

    def handle(self, *args: Any, note: str, days: float, **options: Any) -> None:
        if not 0 < days <= 365:
            raise CommandError("--days must be between 0 and 365.")
        ends_at = timezone.now() + timedelta(days=days)
        _, path = signing_up.invite(note=note[:200], ends_at=ends_at, actor=getpass.getuser())
        self.stdout.write(settings.SITE_URL.rstrip("/") + path)
        if settings.SIGN_UP != "invited":
            self.stderr.write("SIGN_UP is not `invited`: the link is not needed, or has no effect.")
