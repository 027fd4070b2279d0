"""The middleware of sessions: that of Django, which also stores the session of a visitor."""

from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

from .owners import keeps_something


class VisitorSessionMiddleware(SessionMiddleware):
    """A `SessionMiddleware` that stores the session of a visitor with the first thing that is kept."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Store the session where needed, and set its cookie."""
        if response.status_code < 400 and keeps_something(request):
            request.session.keep()
        return super().process_response(request, response)
