"""The open chat sockets of a process, closed when their session or token ends."""

import hashlib
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.utils import timezone

from queueing.api import redis
from queueing.api.events import group_of
from queueing.api.sockets import SessionWatch, WatchedSocket, in_thread

from .owners import owner_of_session
from .tokens import alive_among as alive_tokens

#: Before a token's digest, in the place of a session's key.
TOKEN = "token:"  # noqa: S105 (not a secret)
#: In the place of a session's digest: all that an owner has.
EVERY = "*"

#: Session keys checked by one statement.
_KEYS_PER_QUERY = 500


class OpenSockets(SessionWatch[WatchedSocket]):
    """The chat sockets of one event loop."""

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return those keys whose session or token is still valid."""
        ordered, valid = sorted(keys), set[str]()
        for i in range(0, len(ordered), _KEYS_PER_QUERY):
            valid |= await in_thread(alive_among)(ordered[i : i + _KEYS_PER_QUERY])
        return valid


def alive_among(keys: Iterable[str]) -> set[str]:
    """Those of the keys that still stand for a session, or a program's token."""
    tokens = {key.removeprefix(TOKEN) for key in keys if key.startswith(TOKEN)}
    alive = {TOKEN + digest for digest in alive_tokens(tokens)} if tokens else set()
    return alive | _sessions_among([key for key in keys if not key.startswith(TOKEN)])


def _sessions_among(keys: list[str]) -> set[str]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):
        return {key for key in keys if store().exists(key)}
    rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(rows.values_list("session_key", flat=True))


def digest(session_key: str) -> str:
    """A session's name that opens nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def end_all_of(owner: str) -> None:
    """Close an owner's sockets, whatever their sessions. Those that do not hear of it are found later."""
    _tell_ended(owner, EVERY)


def close_after_logout(*, request: Any, **_: Any) -> None:
    """Receiver of `user_logged_out`: the sockets of that session need not wait for the next look."""
    if request.session.session_key:
        _tell_ended(owner_of_session(request.session), digest(request.session.session_key))


def _tell_ended(owner: str, session: str) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group_of(owner), {"type": "session.ended", "session": session})
    except redis.Unavailable:
        return  # the next look finds them
