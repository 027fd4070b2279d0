"""Who is asking. Every thread and job belongs to an owner, a key made from the user or the session."""

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja.errors import HttpError
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from chat import limits
from chat.limits.addresses import client_address

from . import tokens


def owner_of(user: Any, session: Any) -> str:
    """`u:<id>` for a user, `s:<40 hex digits>` for an anonymous visitor; makes a session when missing.

    Blocks: it may read or write the session. A session that only its cookie knows of is not one; it is
    replaced, so that nobody chooses their own key.
    """
    if user.is_authenticated:
        return f"u:{user.pk}"
    if not session.get("visitor"):  # reading loads it, and forgets a key that names no stored session
        session["visitor"] = True  # an empty session would be thrown away with its cookie
        session.create()
    return _anonymous(session.session_key)


def _anonymous(session_key: str) -> str:
    return "s:" + hashlib.sha256(session_key.encode()).hexdigest()[:40]


def owner_of_session(session: Any) -> str:
    """The owner that a stored session stands for, whoever asks."""
    user_id = session.get(SESSION_KEY)
    return f"u:{user_id}" if user_id else _anonymous(session.session_key)


def owner_of_visitor(request: HttpRequest) -> str:
    """The owner that a visitor with a session, but no account, is; empty for anybody else. Blocks."""
    if request.user.is_authenticated or not request.session.get("visitor"):
        return ""
    return _anonymous(request.session.session_key)


def owner_of_request(request: HttpRequest) -> str:
    """The owner behind an HTTP request. Blocks."""
    return owner_of(request.user, request.session)


def scope_of(request: HttpRequest) -> str:
    """What a token must be allowed for this call."""
    if request.method in ("GET", "HEAD"):
        return "read"
    return "analytics" if request.path.startswith("/api/analytics/") else "chat"


class VisitorAuth(APIKeyCookie):
    """Gives API operations `request.auth`, the owner, and refuses forged requests.

    A new visitor gets a session and a CSRF cookie with the answer. A program's token stands for its user;
    no browser sends one by itself, so it needs no CSRF token beside it.
    """

    param_name = settings.SESSION_COOKIE_NAME

    async def __call__(self, request: HttpRequest) -> str:
        if (secret := tokens.in_header(request.headers.get("Authorization", ""))) is not None:
            return await sync_to_async(_of_token)(secret, request)
        if _may_be_a_browser(request) and check_csrf(request):
            raise HttpError(403, "The CSRF token is missing or wrong. Send the csrftoken cookie's value "
                                 "in the X-CSRFToken header.")  # fmt: skip
        if self.param_name not in request.COOKIES:
            get_token(request)
        return await sync_to_async(_let_in)(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> None:
        """Not used: `__call__` does it all."""


def _let_in(request: HttpRequest) -> str:
    """The owner behind a request, unless their address asks too much; nobody is given a session before."""
    limits.check("requests", client_address(request))
    return owner_of_request(request)


def _of_token(secret: str, request: HttpRequest) -> str:
    address = client_address(request)
    limits.check("requests", address)
    return tokens.owner_of(secret, scope_of(request), address)


def _may_be_a_browser(request: HttpRequest) -> bool:
    """Whether a forger could be behind this: there is a cookie to abuse, or a page that sent it.

    Browsers name the page's origin with every unsafe request; a script without cookies has no one to
    impersonate, and no way to get a token either.
    """
    return bool(request.COOKIES) or "Origin" in request.headers or "Referer" in request.headers
