"""What django-allauth asks the site: how to sign in, what to say, and whom to send e-mail."""

import base64
import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chat import limits
from chat.limits.addresses import client_address

from . import second_factor, texts
from .sessions import sign_in

logger = logging.getLogger(__name__)

#: Seconds for which signing in counts as a proof of identity for changes of the account.
_RECENT = 5 * 60


class AccountAdapter(DefaultAccountAdapter):
    """The rules of the site for accounts."""

    error_messages = DefaultAccountAdapter.error_messages | texts.ERRORS

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and merge the visitor's data into the user's."""
        if not get_authentication_records(request, user):  # the user has just signed up
            record_authentication(request, user, "password")
        sign_in(request, user)

    def get_login_stages(self) -> list[str]:
        """Return what comes between the password and being signed in.

        Not the verification of an address: a new account has a verified one, and an earlier account needs
        none to sign in by its name.
        """
        return ["allauth.mfa.stages.AuthenticateStage"]

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return a valid name. An address is no name: only its owner may have an account with it."""
        if "@" in username:
            raise ValidationError(texts.NO_ADDRESS_AS_NAME)
        return str(super().clean_username(username, shallow))

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """Return whether the password is asked once more. Not just after signing in."""
        records = get_authentication_records(self.request, self.request.user)
        return all(timezone.now().timestamp() - record["at"] > _RECENT for record in records)

    def get_client_ip(self, request: HttpRequest | None) -> str:
        """Return the network of the client; empty for a command."""
        return client_address(request) if request else ""

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return reverse("account")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Show the sentence of the site for a message of allauth. A message without one is not shown."""
        text = message or texts.MESSAGES.get(message_template or "")
        if text:
            messages.add_message(request, level, text, extra_tags)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that a visitor or user asked for. Raises `LimitReached` after too many.

        Mails are counted by address and by the network that asks, so that a stranger neither fills a mailbox
        nor takes the owner's own mails.
        """
        sender = f"{email.lower()} {self.get_client_ip(self.request)}"
        limits.check("mail", salted_hmac("mail", sender).hexdigest())  # Redis holds no addresses
        self._send(template_prefix, email, context)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell the owner of a verified address what has changed. The change stays if the mail fails."""
        verified = EmailAddress.objects.get_verified(user)
        to = email or (verified and verified.email)
        if not to or not settings.ACCOUNT_EMAIL_NOTIFICATIONS:
            return
        origin = {"at": timezone.now(), "address": self.get_client_ip(self.request)}
        try:
            self._send(template_prefix, to, origin | (context or {}))
        except (OSError, SMTPException):
            logger.exception("could not send %s", template_prefix)

    def _send(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail whose links lead to `CLIENT_URL`: a stranger can choose the `Host` header."""
        site = settings.CLIENT_URL.rstrip("/")
        self.render_mail(template_prefix, email, context | {"site": site, "email": email}).send()


class SecondFactorAdapter(DefaultMFAAdapter):
    """The rules of the site for second factors."""

    error_messages = DefaultMFAAdapter.error_messages | texts.ERRORS

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with `SECRET_KEY`, so that the database alone gives no codes."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return False for the last second factor of a user who must have one."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=second_factor.MAIN_TYPES)
        return not second_factor.is_required(authenticator.user) or others.count() > 1


def _fernet() -> MultiFernet:
    """Return the cipher: the first key encrypts, and all of them decrypt."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("second factor", "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
