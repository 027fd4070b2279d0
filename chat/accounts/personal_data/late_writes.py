"""What a request wrote for an owner who was erased meanwhile is erased as well."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from chat.accounts.access.middleware.sessions import has_to_store

from .erasing import erase_if_late

T = TypeVar("T")

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def write_for_owner(request: HttpRequest, function: Callable[[], T]) -> T:
    """Return what `function` returns, which writes for the owner of the request. Blocks.

    It calls `erase_if_late` in the same thread. The middleware does so again only if more will be written.
    """
    try:
        return function()
    finally:
        erase_if_late(request.auth)
        request.is_all_written = not has_to_store(request)


@sync_and_async_middleware
def erase_late_writes(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Call `erase_if_late` after each request of the API that may have written something."""

    def owner_of_write(request: HttpRequest) -> str:
        if request.method in _SAFE_METHODS or getattr(request, "is_all_written", False):
            return ""
        return getattr(request, "auth", None) or ""

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
