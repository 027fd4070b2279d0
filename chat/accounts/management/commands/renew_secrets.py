"""`manage.py renew_secrets`: the middle step of a rotation of `SECRET_KEY` (docs/runbooks.md)."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from chat.accounts import mail
from chat.accounts.models import OutgoingMail
from chat.accounts.sealing import renewed
from chat.accounts.signing_in import adapter


class Command(BaseCommand):
    """The command."""

    help = (
        "Encrypt again with SECRET_KEY what was encrypted with a key of SECRET_KEY_FALLBACKS: second factors "
        "and e-mails that wait. After that no row needs the former keys. It can be repeated at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = self._renew(Authenticator.objects.all(), _renew_factor)
        unreadable += self._renew(OutgoingMail.objects.all(), _renew_mail)
        if unreadable:
            raise CommandError(
                f"{unreadable} rows cannot be read with SECRET_KEY or SECRET_KEY_FALLBACKS. "
                "Add the key with which they were made to SECRET_KEY_FALLBACKS, and run this again."
            )

    def _renew(self, rows: Any, renew: Callable[[Any], None]) -> int:
        """Renew all rows. Return the number of those that no key can read."""
        done = unreadable = 0
        for pk in list(rows.values_list("pk", flat=True)):
            with transaction.atomic():
                row = rows.select_for_update().filter(pk=pk).first()
                try:
                    if row is not None:
                        renew(row)
                        done += 1
                except InvalidToken:
                    unreadable += 1
        self.stdout.write(f"{rows.model._meta.verbose_name_plural}: {done} renewed, {unreadable} unreadable")
        return unreadable


def _renew_factor(row: Authenticator) -> None:
    """Renew the encrypted values in the data of a second factor."""
    for name in {"secret", "seed"} & set(row.data):
        row.data[name] = renewed(adapter.PURPOSE, row.data[name])
    if codes := row.data.get("migrated_codes"):
        row.data["migrated_codes"] = [renewed(adapter.PURPOSE, code) for code in codes]
    row.save(update_fields=["data"])


def _renew_mail(row: OutgoingMail) -> None:
    row.sealed = renewed(mail.PURPOSE, row.sealed)
    row.save(update_fields=["sealed"])
