"""The middleware of sessions: that of Django, which also stores the session of a visitor."""

from math import ceil
from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from chat import limits
from chat.errors import LimitReached
from chat.limits.addresses import client_address

from .owners import keeps_something
from .signed_in import Place, record_use


class VisitorSessionMiddleware(SessionMiddleware):
    """A `SessionMiddleware` that stores the session of a visitor with the first thing that is kept.

    It also counts the requests for account pages, which the API's authentication does not see.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Give the request its session, or answer 429."""
        try:
            if request.path.startswith("/account/"):
                limits.check("requests", client_address(request))
        except LimitReached as exc:
            headers = {"Retry-After": str(ceil(exc.retry_after))}
            return HttpResponse(exc.message, status=exc.status, content_type="text/plain", headers=headers)
        super().process_request(request)
        return None

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Store the session or its use where needed, and set its cookie."""
        if response.status_code < 400 and keeps_something(request):
            request.session.keep()
        session: Any = getattr(request, "session", None)  # a refused request has none
        if session is not None and session.is_use_unrecorded and session.session_key:
            record_use(session, Place.of(request))
        return super().process_response(request, response)
