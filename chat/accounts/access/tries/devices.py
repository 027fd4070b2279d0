"""Known devices: browsers that have signed in to an account before, by a signed cookie.

The cookie gives no access. It only lets the tries of its browser count apart from those of strangers, who
could otherwise keep the owner of the account out. It is the "device cookie" of OWASP.
"""

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .account_names import digest_of, names_of

COOKIE = "device"
#: Seconds for which a device is known after its latest sign-in.
_MAX_AGE = 60 * 60 * 24 * 365
_SALT = "chat.accounts.device"


def remember(request: HttpRequest, user: Any) -> None:
    """Make the browser of this request a known device of `user`: the response gets the cookie."""
    request.known_device_of = user


def remember_sign_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Receive `user_logged_in`."""
    remember(request, user)


def known(request: HttpRequest, account: str) -> str:
    """Return the id of the device if it has signed in to `account` before; else an empty string."""
    cookie = request.get_signed_cookie(COOKIE, default="", salt=_SALT, max_age=_MAX_AGE) or ""
    device, *accounts = cookie.split(".")
    return f"device:{device}" if digest_of(account) in accounts else ""


def add_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the cookie if this request made its browser a known device."""
    if (user := getattr(request, "known_device_of", None)) is None:
        return
    response.set_signed_cookie(
        COOKIE,
        ".".join([secrets.token_hex(16), *names_of(user)]),
        salt=_SALT,
        max_age=_MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
