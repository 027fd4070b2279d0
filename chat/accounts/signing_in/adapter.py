"""What django-allauth asks the site: how to sign in, what to say, and whom to send e-mail."""

import logging
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chat import limits
from chat.accounts import mail, texts
from chat.accounts.sealing import cipher
from chat.errors import LimitReached
from chat.limits.addresses import client_address, network_name
from queueing.api import Rejected

from . import oidc, second_factor, signing_up
from .sessions import sign_in

logger = logging.getLogger(__name__)

#: For how long a mail is worth sending that reports a change.
_NOTICE = timedelta(days=1)


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

    def clean_email(self, email: str) -> str:
        """Return an address to which a mail can be sent. Raise `ValidationError` for another."""
        return mail.sendable(str(super().clean_email(email)))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether this visitor may create an account with a password."""
        return signing_up.is_open(request)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Store a new account. It uses the invitation, where one is needed."""
        with transaction.atomic():
            saved = super().save_user(request, user, form, commit)
            signing_up.use_invitation(request, saved)
        return saved

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """Return whether the password or a code is asked once more. Not just after one was given."""
        return not second_factor.has_recent_proof(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return what the user can show, first a passkey if this session was opened with one.

        Without a password or a factor it is the OpenID provider.
        """
        methods = super().get_reauthentication_methods(user)
        if not methods and user.is_authenticated and user.socialaccount_set.exists() and oidc.login_url():
            return [{"id": "oidc", "description": settings.OIDC_NAME, "url": oidc.login_url()}]
        if second_factor.has_used_passkey(self.request):
            methods.sort(key=lambda method: not method["id"].endswith(":webauthn"))
        return [method | {"description": texts.PROOFS[method["id"]]} for method in methods]

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
        code, link = settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT, settings.PASSWORD_RESET_TIMEOUT
        lifetime = timedelta(seconds=code if "code" in context else link)
        try:
            self._post(template_prefix, email, context, lifetime)
        except Rejected as refusal:
            raise LimitReached(refusal.code, texts.MAIL_BUSY, refusal.retry_after) from refusal

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell the owner of a verified address what has changed. The change stays if no mail can be sent."""
        verified = EmailAddress.objects.get_verified(user)
        to = email or (verified and verified.email)
        if not to or not settings.ACCOUNT_EMAIL_NOTIFICATIONS:
            return
        origin = {"at": timezone.now(), "address": self.get_client_ip(self.request)}
        try:
            self._post(template_prefix, to, origin | (context or {}), _NOTICE)
        except Rejected:
            logger.exception("could not send %s", template_prefix)

    def _post(self, template_prefix: str, email: str, context: dict[str, Any], lifetime: timedelta) -> None:
        """Submit a mail whose links lead to `SITE_URL`: a stranger can choose the `Host` header."""
        site = settings.SITE_URL.rstrip("/")
        message = self.render_mail(template_prefix, email, context | {"site": site, "email": email})
        share = network_name(self.get_client_ip(self.request))
        mail.post(message, lifetime, share)


#: What the cipher of second factors is for.
PURPOSE = "second factor"


class SecondFactorAdapter(DefaultMFAAdapter):
    """The rules of the site for second factors."""

    error_messages = DefaultMFAAdapter.error_messages | texts.ERRORS

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with `SECRET_KEY`, so that the database alone gives no codes."""
        return cipher(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher(PURPOSE).decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the name of the site, and the host for which its passkeys are."""
        return super().get_public_key_credential_rp_entity() | {"name": texts.SITE}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """Return what the browser shows for a passkey."""
        name = str(user.get_username())
        return super().get_public_key_credential_user_entity(user) | {"name": name, "display_name": name}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002
        """Return the name of a passkey for which its user has chosen none."""
        return texts.PASSKEY

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return False for the last second factor of a user who must have one."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=second_factor.MAIN_TYPES)
        return not second_factor.is_required(authenticator.user) or others.count() > 1
