"""`manage.py reset_second_factor NAME`: for a user who has lost the device and the recovery codes."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.accounts.access.ending_access import end_access


class Command(BaseCommand):
    """The command."""

    help = (
        "Remove the second factor of a user who has lost it. All sessions and API tokens of the user end. "
        "First make sure that it is the user who asks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name or the verified e-mail address of the user")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = _user(name)
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if not removed:
            raise CommandError(f"{name!r} has no second factor.")
        end_access(user)
        get_adapter().send_notification_mail("account/email/second_factor_reset", user)
        self.stdout.write(
            f"The second factor of {user.get_username()!r} was removed, and all access has ended."
        )


def _user(name: str) -> User:
    """Return the user with this name or verified address. Raises `CommandError`."""
    verified = EmailAddress.objects.filter(email=name.lower(), verified=True).select_related("user").first()
    user = verified.user if verified else User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}.")
    return user
