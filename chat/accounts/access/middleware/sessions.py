"""The middleware of sessions: that of Django, which also stores the session of a visitor."""

from math import ceil
from typing import Any

from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from asgiref.sync import sync_to_async
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from chat import limits
from chat.accounts.access.owners import SAFE_METHODS, admit_visitor, keeps_something
from chat.accounts.access.sessions import copies
from chat.accounts.access.signed_in import Place, record_use
from chat.errors import LimitReached, StorageFull
from chat.limits.addresses import client_address


def _is_counted(request: HttpRequest) -> bool:
    """Return whether this middleware counts the request: the API's authentication does not see it."""
    return request.path_info.startswith("/account/")


def _refusal(error: LimitReached | StorageFull) -> HttpResponse:
    headers = {"Retry-After": str(ceil(error.retry_after))}
    return HttpResponse(error.message, status=error.status, content_type="text/plain", headers=headers)


def _admit(request: Any) -> None:
    """Count a stranger whose session is stored. Raise `LimitReached` or `StorageFull`.

    Who has given the right password, and waits for the second factor, counts for the account alone: strangers
    of the same network keep no owner of an account out.
    """
    if login := request.session.get(LOGIN_SESSION_KEY):
        limits.check("visitors", f"account {login['user_pk']}")
    else:
        admit_visitor(client_address(request))


def has_to_store(request: Any) -> bool:
    """Return whether something of the session may have to be stored."""
    session = request.session
    is_kept = session.is_unstored and keeps_something(request)
    return bool(session.modified or is_kept or session.is_use_unrecorded)


class VisitorSessionMiddleware(SessionMiddleware):
    """A `SessionMiddleware` that stores the session of a visitor with the first thing that is kept.

    It also counts the requests for account pages, which the API's authentication does not see. On the event
    loop it takes a thread only for a request that is counted, and for a session that is stored.
    """

    async def __acall__(self, request: HttpRequest) -> Any:
        begin = sync_to_async(self.process_request) if _is_counted(request) else None
        refused = await begin(request) if begin else self.process_request(request)
        if refused:
            return refused
        response = await self.get_response(request)
        if (row := request.session.row) and request.method in SAFE_METHODS:
            await copies.keep(row)
        end = sync_to_async(self.process_response) if has_to_store(request) else None
        return await end(request, response) if end else self.process_response(request, response)

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Give the request its session, or answer 429."""
        try:
            if _is_counted(request):
                limits.check("requests", client_address(request))
        except LimitReached as exc:
            return _refusal(exc)
        super().process_request(request)
        return None

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Store the session or its use where needed, and set its cookie.

        What a page writes into the session of a stranger counts as a new visitor, as what the API keeps does.
        """
        if response.status_code < 400 and keeps_something(request):
            request.session.keep()
        session: Any = getattr(request, "session", None)  # a refused request has none
        if session is not None and session.modified and session.adds_row_of_stranger:
            try:
                _admit(request)
            except (LimitReached, StorageFull) as exc:
                return _refusal(exc)
        if session is not None and session.is_use_unrecorded and session.session_key:
            record_use(session, Place.of(request))
        return super().process_response(request, response)
