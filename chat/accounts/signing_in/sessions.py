"""Signing in and up, which merges the visitor's data into the user's."""

import logging
import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth import login
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from chat.accounts.access.owners import ADOPTED, VISITOR, admit_visitor, owner_of_visitor
from chat.accounts.access.sessions.age import SINCE
from chat.accounts.access.sessions.store import stored_key
from chat.accounts.access.signed_in import Place, end_sessions, sessions_of
from chat.accounts.models import UserSession
from chat.accounts.personal_data.erasing import erase
from chat.accounts.personal_data.merge import merge
from chat.errors import LimitReached, StorageFull
from chat.limits.addresses import client_address

logger = logging.getLogger(__name__)

#: The maximum number of sessions of one user. Signing in once more ends the one that was used least recently.
MAX_SESSIONS = 100
#: Sessions that one sweep deletes.
_SWEEP_SESSIONS = 20


def sign_in(request: HttpRequest, user: Any) -> None:
    """Sign `user` in, in a new session, and merge the visitor's data into the user's."""
    if visitor := owner_of_visitor(request):
        request.session[VISITOR] = visitor
        _keep(request)
    was_signed_in = request.user.is_authenticated
    # Ends the visitor's session, so a planted session cookie is not signed in.
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    if was_signed_in:  # Django lets them keep their key
        renew_key(request)
    if visitor:
        merge(visitor, f"u:{user.pk}")


def _keep(request: Any) -> None:
    """Store the visitor's session: without a row it could not be ended, and other tabs would stay open.

    Over the limit of new visitors they do: signing in is not refused for it.
    """
    try:
        if request.session.is_unstored:
            admit_visitor(client_address(request))
    except (LimitReached, StorageFull):
        return
    request.session.keep()


def sweep() -> int:
    """Delete some expired sessions, and all data of their visitors, whom no cookie leads back to it. Blocks.

    Return the number of sessions.
    """
    expired = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    keys = list(expired.values_list("session_key", flat=True)[:_SWEEP_SESSIONS])
    of_users = set(UserSession.objects.filter(session_key__in=keys).values_list("session_key", flat=True))
    UserSession.objects.filter(session_key__in=of_users).delete()
    for key in keys:
        if key not in of_users:
            erase(f"s:{key}")
    Session.objects.filter(session_key__in=keys).delete()
    return len(keys)


def merge_late(request: HttpRequest) -> None:
    """Merge what other tabs sent while the visitor was signing in, or everything if merging failed then."""
    if request.user.is_authenticated and (visitor := request.session.get(VISITOR)):
        merge(visitor, f"u:{request.user.pk}")
        request.session[ADOPTED] = request.session.pop(VISITOR)


def record_sign_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Receive `user_logged_in`: record this session, forget the user's expired ones, and end one too many."""
    record_session(request, user)
    ways = "+".join(record["method"] for record in get_authentication_records(request, user))
    logger.info("user %s signed in by %s from %s", user.pk, ways or "a program", client_address(request))
    keys = list(user.sessions.values_list("session_key", flat=True))
    alive = set(Session.objects.filter(session_key__in=keys).values_list("session_key", flat=True))
    user.sessions.filter(session_key__in=set(keys) - alive).delete()
    if len(alive) > MAX_SESSIONS:
        end_sessions(user.sessions.filter(pk__in=[row.pk for row in sessions_of(user)[MAX_SESSIONS:]]))


def record_session(request: HttpRequest, user: Any) -> None:
    """Record that the request's session belongs to `user`; create the session if it has no key yet."""
    request.session[SINCE] = time.time()
    if not request.session.session_key:
        request.session.create()
    place = Place.of(request)
    UserSession.objects.get_or_create(
        session_key=stored_key(request.session.session_key),
        defaults={
            "user": user,
            "last_seen_at": timezone.now(),
            "address": place.address,
            "user_agent": place.agent,
        },
    )


def record_new_key(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Receive `password_changed`: Django has given the session of this browser another key."""
    record_session(request, user)


def renew_key(request: Any) -> None:
    """Give the session of a user another key, after each proof of identity: a stolen one ends then.

    What is open in other tabs goes on: it learns the new key (`SessionWatch`).
    """
    old = stored_key(request.session.session_key)
    request.session.renew_key()
    UserSession.objects.filter(session_key=old).update(session_key=stored_key(request.session.session_key))


def renew_after_proof(*, request: Any, reauthenticated: bool = False, **_: Any) -> None:
    """Receive `authentication_step_completed`: renew the key if a user who is signed in has shown a proof."""
    if reauthenticated:
        renew_key(request)


def forget_session(*, request: HttpRequest, **_: Any) -> None:
    """Receive `user_logged_out`: delete the record of this session."""
    UserSession.objects.filter(session_key=stored_key(request.session.session_key or "")).delete()
