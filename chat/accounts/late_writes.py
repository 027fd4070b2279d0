"""Middleware: what a request wrote for an owner who was erased meanwhile is erased as well."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from .erasing import erase_if_late

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@sync_and_async_middleware
def erase_late_writes(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Call `erase_if_late` after each request of the API that may have written something."""

    def owner_of_write(request: HttpRequest) -> str:
        return "" if request.method in _SAFE_METHODS else getattr(request, "auth", None) or ""

    if iscoroutinefunction(get_response):

        async def in_loop(request: HttpRequest) -> HttpResponseBase:
            response = await get_response(request)
            if owner := owner_of_write(request):
                await sync_to_async(erase_if_late)(owner)
            return response

        return in_loop

    def in_thread(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if owner := owner_of_write(request):
            erase_if_late(owner)
        return response

    return in_thread
