"""Signing up with an e-mail address: the account exists once its owner has entered the code from the mail.

Until then the address and the hash of the password are in the visitor's session alone. So a person who
enters the address of another gets nothing, takes nothing, and does not learn whether it has an account.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from chat.accounts.signing_in.signing_up import use_invitation

_MAX_TRIES = 3
_SESSION_KEY = "sign_up"


class PendingSignUp(AbstractCodeVerificationProcess):
    """An address that waits for its code."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        timeout = settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT
        super().__init__(max_attempts=_MAX_TRIES, timeout=timeout, state=state)
        self._request = request

    @classmethod
    def start(cls, request: HttpRequest, email: str, password: str, target: str) -> None:
        """Send the mail and remember what was entered. Raises `LimitReached`."""
        state = cls.initial_state(None, email=email)
        code = get_adapter().generate_email_verification_code()
        pending = cls(request, state | {"code": code, "password": make_password(password), "next": target})
        pending.send()
        pending.persist()

    @classmethod
    def resume(cls, request: HttpRequest) -> "PendingSignUp | None":
        """Return what waits in this session, unless it is too old."""
        state = request.session.get(_SESSION_KEY)
        return cls(request, state).abort_if_invalid() if state else None

    @property
    def email(self) -> str:
        """Return the address."""
        return str(self.state["email"])

    @property
    def target(self) -> str:
        """Return the page to open after signing up; empty for the start page."""
        return str(self.state["next"])

    def send(self) -> None:
        """Send the code. The owner of an account learns instead that there is one; the page is the same."""
        if EmailAddress.objects.is_verified(self.email):
            get_adapter().send_mail("account/email/account_already_exists", self.email, {})
        else:
            get_adapter().send_mail(
                "account/email/email_confirmation_signup", self.email, {"code": self.code}
            )

    def persist(self) -> None:
        """Write the state into the session."""
        self._request.session[_SESSION_KEY] = self.state

    def abort(self) -> None:
        """Forget the sign-up."""
        self._request.session.pop(_SESSION_KEY, None)

    def finish(self) -> User | None:
        """Return the new user; None if another account has verified the address in the meantime."""
        self.abort()
        user = User(email=self.email, password=self.state["password"])
        user.username = get_adapter().generate_unique_username([self.email])
        try:
            with transaction.atomic():
                user.save()
                EmailAddress.objects.create(user=user, email=self.email, verified=True, primary=True)
                use_invitation(self._request, user)
        except IntegrityError:
            return None
        return user
