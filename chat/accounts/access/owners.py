"""The owner of a request: the key of the user or the session, to which every thread and job belongs."""

import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from ninja.errors import HttpError
from ninja.security import APIKeyCookie

from chat import limits
from chat.accounts import texts
from chat.errors import OtherOwner, StorageFull
from chat.limits import disk
from chat.limits.addresses import client_address
from queueing.api import add_log_ids

from . import gate, tokens
from .sessions.store import IS_VISITOR, stored_key

T = TypeVar("T")

_csrf = CsrfViewMiddleware(lambda request: HttpResponse())

#: Methods of requests that only read.
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
#: Bytes of a body up to which it counts as a request only.
_UNCOUNTED = 64 * 1024
#: Seconds after which a new visitor can try again when there are too many.
_RETRY_AFTER = 600.0

#: The keys of a session for the owner that its user was as a visitor: until all data is merged, and later.
VISITOR, ADOPTED = "was", "adopted"
#: The header `Buddy-Owner`: a page says whose it is. Another person may have signed in in another tab.
_OWNER_HEADER = "HTTP_BUDDY_OWNER"


def owner_of(user: Any, session: Any) -> str:
    """Return `u:<id>` for a user, `s:<40 hex digits>` for a visitor; begin a session if there is none.

    Blocks: it may read the session. A key that this site did not make is replaced, so clients cannot choose
    their own. The session of a new visitor is stored by `SessionStore.keep`, when something is kept.
    """
    if not user.is_authenticated and not session.get(IS_VISITOR):
        session.begin_visit()
    owner = f"u:{user.pk}" if user.is_authenticated else _anonymous(session.session_key)
    add_log_ids(owner=owner)
    return owner


def admitted_owner(user: Any, session: Any, address: str) -> str:
    """Return what `owner_of` does, unless the gate refuses this owner at this `client_address`. Blocks."""
    owner = owner_of(user, session)
    gate.check(owner, address)
    return owner


def _anonymous(session_key: str) -> str:
    return "s:" + stored_key(session_key)


def owner_of_session(session: Any) -> str:
    """Return the owner of a stored session."""
    user_id = session.get(SESSION_KEY)
    return f"u:{user_id}" if user_id else _anonymous(session.session_key)


def owner_of_visitor(request: HttpRequest) -> str:
    """Return the owner of a visitor with a session and no account; empty for all others. Blocks."""
    if request.user.is_authenticated or not request.session.get(IS_VISITOR):
        return ""
    return _anonymous(request.session.session_key)


def adopted_visitor(session: Any) -> str:
    """Return the visitor whose data moved to the user when this session was signed in; empty if none did."""
    return str(session.get(VISITOR) or session.get(ADOPTED) or "")


def with_session(function: Callable[[HttpRequest], T]) -> Callable[[HttpRequest], Awaitable[T]]:
    """Return a function of a request that does what `function` does with the session and the user.

    `function` runs in a thread, unless the session is at hand and a visitor's: then nothing blocks.
    """

    async def run(request: Any) -> T:
        session = request.session
        await session.take_copy()
        if session.is_at_hand and SESSION_KEY not in session:
            return function(request)
        return await sync_to_async(function)(request)

    return run


def owner_of_request(request: HttpRequest) -> str:
    """Return the owner of an HTTP request. Blocks."""
    return owner_of(request.user, request.session)


def admit_visitor(address: str) -> None:
    """Count a new visitor for whom something will be kept. Blocks.

    Raise `LimitReached` when there are too many from one address, and `StorageFull` when there are in all.
    """
    limits.check("visitors", address)
    if Session.objects.count() >= settings.MAX_VISITORS:
        raise StorageFull(texts.TOO_MANY_VISITORS, _RETRY_AFTER)


def keeps_something(request: HttpRequest) -> bool:
    """Return whether a request, if it succeeds, leaves something that belongs to its visitor.

    Of the messages of a connection, its consumer decides that.
    """
    others = ("/api/analytics/", "/api/connection")
    calls = request.path_info.startswith("/api/") and not request.path_info.startswith(others)
    return calls and request.method not in SAFE_METHODS


def required_scope(request: HttpRequest) -> str:
    """Return the scope that a token needs for this request. A connection checks its messages itself."""
    if request.method in ("GET", "HEAD") or request.path_info == "/api/connection":
        return "read"
    return "analytics" if request.path_info.startswith("/api/analytics/") else "chat"


class VisitorAuth(APIKeyCookie):
    """The authentication of API operations: sets `request.auth` to the owner, and refuses forged requests.

    A new visitor gets a session and a CSRF cookie with the response. A program with a token acts for its
    user; browsers send no token by themselves, so such a request needs no CSRF token. Nor does a page of the
    front end, which cannot read the CSRF cookie: no other page can send its `Origin`.
    """

    param_name = settings.SESSION_COOKIE_NAME

    async def __call__(self, request: HttpRequest) -> str:
        if request.method in SAFE_METHODS:  # they come in bursts, when a page opens
            await request.session.take_copy()
        return await sync_to_async(_authenticate)(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> None:
        """Do nothing: `__call__` replaces it."""


class BlockingVisitorAuth(VisitorAuth):
    """A `VisitorAuth` for an operation that is no coroutine: both then run in one thread."""

    def __call__(self, request: HttpRequest) -> str:  # type: ignore[override]
        return _authenticate(request)


def _authenticate(request: HttpRequest) -> str:
    """Return the owner of a request, which is neither forged nor over the limits. Blocks."""
    if (secret := tokens.secret_in_header(request.META.get("HTTP_AUTHORIZATION", ""))) is not None:
        return _owner_of_token(secret, request)
    if _may_be_forged(request) and _lacks_token(request):
        raise HttpError(403, texts.CSRF_FAILED)
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        get_token(request)
    return _owner_within_limits(request)


def _owner_within_limits(request: HttpRequest) -> str:
    """Return the owner of a request. The limits come first, so that a refused client gets no session."""
    address = client_address(request)
    _count(request, address)
    owner = owner_of_request(request)
    page_of = request.META.get(_OWNER_HEADER, owner)
    gate.check(owner, address)
    if page_of not in (owner, adopted_visitor(request.session)):
        raise OtherOwner(texts.OTHER_OWNER)
    if request.session.is_unstored and keeps_something(request):
        admit_visitor(address)
    return owner


def _count(request: HttpRequest, address: str) -> None:
    """Count a request and the megabytes of its body, and refuse it while there is no room to store it."""
    limits.check("requests", address)
    if request.method in (*SAFE_METHODS, "DELETE"):
        return
    disk.check()
    unknown = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if "HTTP_TRANSFER_ENCODING" in request.META else 0
    sent = int(request.META.get("CONTENT_LENGTH") or unknown)
    if sent > _UNCOUNTED:
        limits.check("megabytes", address, math.ceil(sent / 2**20))


def _owner_of_token(secret: str, request: HttpRequest) -> str:
    address = client_address(request)
    _count(request, address)
    return tokens.admit(secret, required_scope(request), address).owner


def _lacks_token(request: Any) -> bool:
    """Return whether the request has not the CSRF token of its cookie, or has a wrong origin.

    As ninja's `check_csrf` does, which makes a middleware for each request. Django has read the cookie.
    """
    request.csrf_processing_done = False  # Django's middleware leaves all addresses of the API to this
    return _csrf.process_view(request, _lacks_token, (), {}) is not None


def _may_be_forged(request: HttpRequest) -> bool:
    """Return whether the request can be forged: it has a cookie to abuse, or a page of another site sent it.

    Browsers send the page's origin with every unsafe request. A script without cookies impersonates no
    visitor, and cannot get a CSRF token either.
    """
    origin = request.META.get("HTTP_ORIGIN")
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return False
    return bool(request.COOKIES or origin is not None or "HTTP_REFERER" in request.META)
