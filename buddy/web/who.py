"""Who sent a request or opened a socket, for the lines of the log. Those of refusals have the address, too.

An owner is named as soon as the code that serves the request knows it (`owners.owner_of`, `tokens.check`,
`named_user`). So naming costs no statement, except for a refused request.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest

from chat.accounts.access import tokens
from chat.accounts.access.owners import owner_of_visitor
from chat.limits.addresses import client_address
from queueing.api import add_log_ids, log_ids, new_id

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[Any]]

#: The statuses of requests for what their sender may not see or do. Django logs each of them.
REFUSED = (401, 403, 404)


def named_user(request: HttpRequest) -> Any:
    """Return the user of a request, whom its log lines name from now on. Blocks."""
    return _named(get_user(request))


def _named(user: Any) -> Any:
    if user.is_authenticated:
        add_log_ids(owner=f"u:{user.pk}")
    return user


def name_refused(request: HttpRequest) -> None:
    """Add the address and the owner of a refused request to the lines that follow. Blocks."""
    add_log_ids(address=client_address(request))
    has_token = tokens.secret_in_header(request.headers.get("Authorization", "")) is not None
    if not has_token and not request.user.is_authenticated:  # users are named when they are known
        add_log_ids(owner=owner_of_visitor(request))


class LoggedSockets:
    """The sockets `inner`: a refused handshake is a line of the log.

    The ids are those of the handshake alone. What begins in a socket, such as the watch over all sockets of
    the process, can serve others as well.
    """

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        is_open = False

        async def watched(message: dict[str, Any]) -> None:
            nonlocal is_open
            if not is_open:
                is_open = _opens(scope, message)
            await send(message)

        with log_ids(request=new_id().hex):
            await self._inner(scope, receive, watched)


def _opens(scope: Scope, message: Mapping[str, Any]) -> bool:
    """Return whether the message opens the socket, whose lines have no ids then. Log one that refuses it."""
    if message["type"] == "websocket.accept":
        add_log_ids(request="", owner="")
        return True
    if message["type"] == "websocket.close":
        add_log_ids(address=client_address(scope))
        logger.warning("Forbidden: %s", scope["path"])
    return False


def named(inner: Application) -> Application:
    """Return an application for sockets whose log lines name the user of the session."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> Any:
        _named(scope["user"])
        return await inner(scope, receive, send)

    return serve
