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
from .tokens import valid_digests

#: Prefix of a token's digest where it replaces a session key.
TOKEN = "token:"  # noqa: S105 (not a secret)
#: In place of a session's digest: all sessions of the owner.
ALL_SESSIONS = "*"

#: Session keys checked by one statement.
_KEYS_PER_QUERY = 500


class OpenSockets(SessionWatch[WatchedSocket]):
    """The chat sockets of one event loop."""

    async def valid_among(self, keys: set[str]) -> set[str]:
        """Return those keys whose session or token is still valid."""
        ordered, valid = sorted(keys), set[str]()
        for i in range(0, len(ordered), _KEYS_PER_QUERY):
            valid |= await in_thread(valid_keys)(ordered[i : i + _KEYS_PER_QUERY])
        return valid


def valid_keys(keys: Iterable[str]) -> set[str]:
    """Return the keys of stored sessions and valid tokens among `keys`."""
    tokens = {key.removeprefix(TOKEN) for key in keys if key.startswith(TOKEN)}
    alive = {TOKEN + digest for digest in valid_digests(tokens)} if tokens else set()
    return alive | _sessions_among([key for key in keys if not key.startswith(TOKEN)])


def _sessions_among(keys: list[str]) -> set[str]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):
        return {key for key in keys if store().exists(key)}
    rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(rows.values_list("session_key", flat=True))


def digest(session_key: str) -> str:
    """Return a digest that names a session and cannot be used as its key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def close_all_of(owner: str) -> None:
    """Close all sockets of an owner. A socket that misses the message is closed by the next check."""
    _announce_end(owner, ALL_SESSIONS)


def close_after_logout(*, request: Any, **_: Any) -> None:
    """Receive `user_logged_out`: close the sockets of that session before the next check."""
    if request.session.session_key:
        _announce_end(owner_of_session(request.session), digest(request.session.session_key))


def _announce_end(owner: str, session: str) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group_of(owner), {"type": "session.ended", "session": session})
    except redis.Unavailable:
        return  # the next check finds them
