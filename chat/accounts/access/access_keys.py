"""Access keys: the session or token that opened a request, a socket or a stream, and whether it is valid.

An access key is the key of a session, `UNSTORED` followed by the key of a visitor for whom nothing is kept,
or `TOKEN` followed by the digest of an API token.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from . import tokens
from .sessions.store import ENDED, IS_VISITOR, SessionStore, is_of_visitor, stored_key

#: Prefix of a token's digest where it replaces a session key.
TOKEN = "token:"  # noqa: S105 (not a secret)
#: Prefix of the key of a session that has no row.
UNSTORED = "unstored:"


def of_request(request: HttpRequest) -> str:
    """Return the access key of an HTTP request whose owner is known."""
    secret = tokens.secret_in_header(request.headers.get("Authorization", ""))
    return TOKEN + tokens.digest(secret) if secret is not None else of_session(request.session)


def of_session(session: Any) -> str:
    """Return the access key of a session whose owner is known."""
    return (UNSTORED if session.is_unstored else "") + (session.session_key or "")


def still_valid(keys: Iterable[str]) -> set[str]:
    """Return the keys among `keys` that may still be used. Blocks.

    A token is valid until it expires or is deleted. A session is valid until it expires, is deleted, or the
    password of its user changes. Neither is valid when its user is deactivated or deleted.
    """
    digests = {key.removeprefix(TOKEN) for key in keys if key.startswith(TOKEN)}
    valid = {TOKEN + digest for digest in tokens.valid_digests(digests)} if digests else set()
    valid |= _unstored({key for key in keys if key.startswith(UNSTORED)})
    sessions = _sessions([key for key in keys if not key.startswith((TOKEN, UNSTORED))])
    signed_in = {data[SESSION_KEY] for data in sessions.values() if SESSION_KEY in data}
    users = {str(user.pk): user for user in get_user_model()._default_manager.filter(pk__in=signed_in)}
    return valid | {key for key, data in sessions.items() if _is_valid(data, users)}


def _is_valid(session: Mapping[str, Any], users: Mapping[str, Any]) -> bool:
    """Return whether a stored session is a visitor's, or of a user who is active and has this password."""
    if SESSION_KEY not in session:
        return bool(session.get(IS_VISITOR))
    user = users.get(session[SESSION_KEY])
    if user is None or not user.is_active:
        return False
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.get(HASH_SESSION_KEY, ""), known) for known in hashes)


def _unstored(keys: set[str]) -> set[str]:
    """Return the keys of visitors without a row, unless they got one meanwhile and that has ended."""
    digests = {key: stored_key(key.removeprefix(UNSTORED)) for key in keys}
    ended = Session.objects.filter(session_key__in=digests.values(), session_data=ENDED) if keys else ()
    gone = {row.session_key for row in ended}
    return {
        key
        for key, digest in digests.items()
        if digest not in gone and is_of_visitor(key.removeprefix(UNSTORED))
    }


def _sessions(keys: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the contents of the stored sessions, by their keys."""
    by_digest = {stored_key(key): key for key in keys}
    rows = Session.objects.filter(session_key__in=by_digest, expire_date__gt=timezone.now())
    found = rows.values_list("session_key", "session_data")
    return {(key := by_digest[digest]): _decoded(key, data) for digest, data in found}


@lru_cache(maxsize=10_000)
def _decoded(session_key: str, session_data: str) -> Mapping[str, Any]:
    """Return the contents of a session. Open sockets ask every few seconds for the same unchanged data."""
    return SessionStore(session_key).decode(session_data)
