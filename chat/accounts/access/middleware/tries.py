"""The middleware of tries: it tells them the request, and answers those that are refused."""

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from chat.accounts.access.tries.devices import add_cookie
from chat.accounts.access.tries.tries import current_request
from chat.errors import LimitReached

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class TriesMiddleware:
    """Sets `current_request`, adds the cookie of a known device, and answers `LimitReached` with a page."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response: Any = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._in_loop(request)
        token = current_request.set(request)
        try:
            response: HttpResponseBase = self._get_response(request)
        finally:
            current_request.reset(token)
        add_cookie(request, response)
        return response

    async def _in_loop(self, request: HttpRequest) -> HttpResponseBase:
        token = current_request.set(request)
        try:
            response: HttpResponseBase = await self._get_response(request)
        finally:
            current_request.reset(token)
        add_cookie(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page about too many tries. The API answers its own exceptions."""
        if not isinstance(exception, LimitReached):
            return None
        response = render(request, "429.html", {"message": exception.message}, status=429)
        response["Retry-After"] = str(max(1, ceil(exception.retry_after)))
        return response
