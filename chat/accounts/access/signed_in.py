"""The sessions in which a user is signed in: when and where each was used, and how one or all others end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chat.accounts.models import UserSession
from chat.limits.addresses import client_address

from . import open_sockets
from .sessions import age, copies
from .sessions.store import stored_key

#: Characters of the name that a browser gives itself.
_AGENT = 300
#: Sessions of inactive users that are ended at a time.
_ENDED = 100


@dataclass(frozen=True)
class Place:
    """Where a session is used: the network and the browser."""

    address: str
    agent: str

    @classmethod
    def of(cls, source: HttpRequest | Mapping[str, Any]) -> "Place":
        """Return the place of a request, or of the ASGI scope of a socket."""
        if isinstance(source, HttpRequest):
            agent = source.META.get("HTTP_USER_AGENT", "")
        else:
            agent = dict(source.get("headers", ())).get(b"user-agent", b"").decode("latin-1")
        return cls(client_address(source), agent[:_AGENT].replace("\0", ""))


def record_use(session: Any, place: Place) -> None:
    """Move the end of a user's session that is used now. Blocks.

    It changes the rows alone and not the contents, so it overwrites nothing that another request stores.
    """
    key, end = stored_key(session.session_key), age.end_of(session[age.SINCE])
    used = {"last_seen_at": timezone.now(), "address": place.address, "user_agent": place.agent}
    if Session.objects.filter(session_key=key).update(expire_date=end):
        copies.outdate([key])
        UserSession.objects.update_or_create(
            session_key=key, defaults=used, create_defaults=used | {"user_id": session[SESSION_KEY]}
        )


def sessions_of(user: Any) -> list[UserSession]:
    """Return the user's sessions that have not ended, the last used first. Blocks."""
    rows = list(user.sessions.all())
    alive = set(
        Session.objects.filter(
            session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    found = [row for row in rows if row.session_key in alive]
    return sorted(found, key=lambda row: row.last_seen_at or row.created_at, reverse=True)


def end_sessions(rows: "QuerySet[UserSession]") -> int:
    """End these sessions and close what they opened. Blocks. Return their number.

    Sockets that miss the message are closed by the next check (`open_sockets`).
    """
    ended = list(rows.values_list("user_id", "session_key"))
    keys = [key for _, key in ended]
    with transaction.atomic():
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(session_key__in=keys).delete()
        for user_id, key in ended:
            transaction.on_commit(lambda u=user_id, k=key: open_sockets.close_one(f"u:{u}", k), robust=True)
    return len(ended)


def end_those_of_inactive_users() -> int:
    """End some sessions of users who were deactivated by a query, which no signal reports."""
    inactive = get_user_model()._default_manager.filter(is_active=False)
    rows = UserSession.objects.filter(user__in=inactive).values_list("pk", flat=True)[:_ENDED]
    return end_sessions(UserSession.objects.filter(pk__in=list(rows)))
