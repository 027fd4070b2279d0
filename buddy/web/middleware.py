"""Middlewares of Django and django-csp that wait for nothing, run on the event loop.

In an asynchronous stack `MiddlewareMixin` gives `process_request` and `process_response` a thread each, also
where they only look at headers. Those hops took most of the time of a request.
"""

from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage import default_storage
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import get_callable
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject, empty

from chat.accounts.access.owners import with_session
from queueing.api import add_log_ids

from . import who

#: What load balancers, orchestrators and Prometheus ask, by the address of a process and over http.
OF_MONITORS = ("/healthz", "/readyz", "/metrics")


class OnLoop(MiddlewareMixin):
    """The base of a middleware that runs on the event loop where the stack is asynchronous."""

    async def __acall__(self, request: HttpRequest) -> Any:
        response = self.process_request(request) if hasattr(self, "process_request") else None
        response = response or await self.get_response(request)
        return self.process_response(request, response) if hasattr(self, "process_response") else response


class Security(OnLoop, SecurityMiddleware):
    """Headers about transport, and redirects to https."""


class ContentSecurityPolicy(OnLoop, CSPMiddleware):
    """The header Content-Security-Policy. It is built once, since no view of this site changes the policy."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._policy = build_policy()

    def process_request(self, request: HttpRequest) -> None:
        """Do nothing: no template asks for a nonce."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Add the header, except to the pages with which Django explains an error while `DEBUG` is on."""
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault(HEADER, self._policy)
        return response


class Common(OnLoop, CommonMiddleware):
    """Content-Length, the check of the host's name, and redirects to addresses with a slash."""

    def process_request(self, request: HttpRequest) -> Any:
        """Return a redirect or None. Monitors may use any name: they know only addresses."""
        return None if request.path in OF_MONITORS else super().process_request(request)


class Authentication(OnLoop, AuthenticationMiddleware):
    """`request.user`, which is read from the database when it is used, and named in the log then."""

    async def __acall__(self, request: HttpRequest) -> Any:
        response = await super().__acall__(request)
        if response.status_code in who.REFUSED:
            await with_session(who.name_refused)(request)
        return response

    def process_request(self, request: Any) -> None:
        """Give the request its user."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: who.named_user(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Name the sender before Django logs the refusal of a view."""
        if isinstance(exception, PermissionDenied):
            who.name_refused(request)


class XFrameOptions(OnLoop, XFrameOptionsMiddleware):
    """The header X-Frame-Options."""


class Csrf(OnLoop, CsrfViewMiddleware):
    """The check of the token of each request that may change something."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        """Return the refusal. It is logged when its sender is known, and not at once as by Django."""
        add_log_ids(reason=reason)
        return get_callable(settings.CSRF_FAILURE_VIEW)(request, reason=reason)

    async def process_view(self, request: HttpRequest, *view: Any) -> Any:
        """Return the refusal, or None. A thread looks for the token in a form, whose whole body it reads."""
        check = super().process_view
        if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
            return await sync_to_async(check)(request, *view)
        return check(request, *view)


class Messages(OnLoop, MessageMiddleware):
    """Notices for the next page. Only a response with some reads or writes the session."""

    async def __acall__(self, request: Any) -> Any:
        request._messages = notices = SimpleLazyObject(partial(default_storage, request))
        response = await self.get_response(request)
        if notices._wrapped is not empty and (notices.used or notices.added_new):
            return await sync_to_async(self.process_response)(request, response)
        return response
