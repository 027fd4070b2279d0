"""The owner of a request: the key of the user or the session, to which every thread and job belongs."""

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
from chat.accounts import texts
from chat.errors import OtherOwner
from chat.limits.addresses import client_address

from . import tokens
from .session_store import stored_key

#: The keys of a session for the owner that its user was as a visitor: until all data is merged, and later.
VISITOR, ADOPTED = "was", "adopted"
#: The header in which a page says whose it is. Another person may have signed in in another tab.
OWNER_HEADER = "Buddy-Owner"


def owner_of(user: Any, session: Any) -> str:
    """Return `u:<id>` for a user, `s:<40 hex digits>` for a visitor; create a session if there is none.

    Blocks: it may read or write the session. A session key that is not stored is replaced, so clients cannot
    choose their own.
    """
    if user.is_authenticated:
        return f"u:{user.pk}"
    if not session.get("visitor"):  # reading loads the session, and drops a key that is not stored
        session["visitor"] = True  # Django discards an empty session
        session.create()
    return _anonymous(session.session_key)


def _anonymous(session_key: str) -> str:
    return "s:" + stored_key(session_key)


def owner_of_session(session: Any) -> str:
    """Return the owner of a stored session."""
    user_id = session.get(SESSION_KEY)
    return f"u:{user_id}" if user_id else _anonymous(session.session_key)


def owner_of_visitor(request: HttpRequest) -> str:
    """Return the owner of a visitor with a session and no account; empty for all others. Blocks."""
    if request.user.is_authenticated or not request.session.get("visitor"):
        return ""
    return _anonymous(request.session.session_key)


def adopted_visitor(session: Any) -> str:
    """Return the visitor whose data moved to the user when this session was signed in; empty if none did."""
    return str(session.get(VISITOR) or session.get(ADOPTED) or "")


def owner_of_request(request: HttpRequest) -> str:
    """Return the owner of an HTTP request. Blocks."""
    return owner_of(request.user, request.session)


def required_scope(request: HttpRequest) -> str:
    """Return the scope that a token needs for this request."""
    if request.method in ("GET", "HEAD"):
        return "read"
    return "analytics" if request.path.startswith("/api/analytics/") else "chat"


class VisitorAuth(APIKeyCookie):
    """The authentication of API operations: sets `request.auth` to the owner, and refuses forged requests.

    A new visitor gets a session and a CSRF cookie with the response. A program with a token acts for its
    user; browsers send no token by themselves, so such a request needs no CSRF token.
    """

    param_name = settings.SESSION_COOKIE_NAME

    async def __call__(self, request: HttpRequest) -> str:
        if (secret := tokens.secret_in_header(request.headers.get("Authorization", ""))) is not None:
            return await sync_to_async(_owner_of_token)(secret, request)
        if _may_be_a_browser(request) and check_csrf(request):
            raise HttpError(403, texts.CSRF_FAILED)
        if self.param_name not in request.COOKIES:
            get_token(request)
        return await sync_to_async(_owner_within_limits)(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> None:
        """Do nothing: `__call__` replaces it."""


def _owner_within_limits(request: HttpRequest) -> str:
    """Return the owner of a request. The limits come first, so that a refused client gets no session."""
    limits.check("requests", client_address(request))
    owner = owner_of_request(request)
    page_of = request.headers.get(OWNER_HEADER, owner)
    if page_of not in (owner, adopted_visitor(request.session)):
        raise OtherOwner(texts.OTHER_OWNER)
    return owner


def _owner_of_token(secret: str, request: HttpRequest) -> str:
    address = client_address(request)
    limits.check("requests", address)
    return tokens.admit(secret, required_scope(request), address).owner


def _may_be_a_browser(request: HttpRequest) -> bool:
    """Return whether the request can be forged: it has a cookie to abuse, or a page sent it.

    Browsers send the page's origin with every unsafe request. A script without cookies impersonates no
    visitor, and cannot get a CSRF token either.
    """
    return bool(request.COOKIES) or "Origin" in request.headers or "Referer" in request.headers
