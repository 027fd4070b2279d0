"""The counting of passwords below all forms: in `authenticate()`, and in the password hashers.

Every comparison of a password passes a hasher of `PASSWORD_HASHERS`, so a new form or a library cannot forget
to count. `authenticate()` counts by the name that was typed, also when it is the name of no account. A form
that calls `user.check_password` (to change the password, to erase) counts for the signed-in account.
"""

from contextvars import ContextVar
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import hashers
from django.http import HttpRequest

from . import tries
from .tries import Try, current_request

PASSWORD = "password"  # noqa: S105 (not a secret)

#: The try that `authenticate()` has counted, until it ends, and its request.
_counted: ContextVar[tuple[HttpRequest | None, Try] | None] = ContextVar("counted", default=None)


def _of_authenticate() -> Try | None:
    """Return the try of the `authenticate()` that runs now in this request."""
    request, attempt = _counted.get() or (None, None)
    return attempt if attempt and not attempt.has_ended and request is current_request.get() else None


class CountTries:
    """The first authentication backend: counts the try, and leaves the answer to those after it.

    It has no `get_user`, so Django takes no session for its own.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raise `LimitReached` after too many tries."""
        if any(isinstance(value, str) and "password" in name for name, value in credentials.items()):
            _counted.set((current_request.get(), tries.begin(PASSWORD, account=_name(credentials))))

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Do the same off the event loop."""
        await sync_to_async(self.authenticate)(request, **credentials)


def _name(credentials: dict[str, Any]) -> str:
    """Return the typed name: what is no password."""
    names = [value for key, value in credentials.items() if "password" not in key and isinstance(value, str)]
    return names[0] if names else ""


def end_try(*, credentials: dict[str, Any], **_: Any) -> None:
    """Receive `user_login_failed`."""
    if attempt := _of_authenticate():
        attempt.failed()


class Counted:
    """A mix-in of a password hasher."""

    def verify(self, password: str, encoded: str) -> bool:
        """Compare a password, and count it if it is wrong. Raise `LimitReached` after too many."""
        of_authenticate = _of_authenticate()
        attempt = of_authenticate or tries.begin(PASSWORD, account=_account_of(encoded))
        if correct := bool(super().verify(password, encoded)):  # type: ignore[misc]
            attempt.succeeded()
        elif not of_authenticate:
            attempt.failed()
        return correct


def _account_of(encoded: str) -> str:
    """Return the name of the signed-in account if this is its password; else a name of this password."""
    request = current_request.get()
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.password == encoded:
        return str(user.get_username())
    return encoded


class PBKDF2PasswordHasher(Counted, hashers.PBKDF2PasswordHasher):
    """Django's default."""


class PBKDF2SHA1PasswordHasher(Counted, hashers.PBKDF2SHA1PasswordHasher):
    """For passwords of an earlier installation."""


class Argon2PasswordHasher(Counted, hashers.Argon2PasswordHasher):
    """For passwords of an earlier installation."""


class BCryptSHA256PasswordHasher(Counted, hashers.BCryptSHA256PasswordHasher):
    """For passwords of an earlier installation."""


class ScryptPasswordHasher(Counted, hashers.ScryptPasswordHasher):
    """For passwords of an earlier installation."""
