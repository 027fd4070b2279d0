"""Signing in and up, with what the visitor had until then."""

from typing import Any

from django.contrib.auth import login
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from .merge import move
from .models import SignIn
from .owners import owner_of_visitor

#: In the session: the owner that the user was before. It is moved once more with the next page.
_WAS = "was"


def sign_in(request: HttpRequest, user: Any) -> None:
    """Sign `user` in, in a new session, and give them what the anonymous visitor had."""
    if was := owner_of_visitor(request):
        request.session[_WAS] = was
    login(request, user)  # ends the visitor's session: nobody who knew its key is signed in with it
    if was:
        move(was, f"u:{user.pk}")


def fetch_late(request: HttpRequest) -> None:
    """Move what other tabs sent while the visitor was signing in; all of it if that failed then."""
    if request.user.is_authenticated and (was := request.session.get(_WAS)):
        move(was, f"u:{request.user.pk}")
        del request.session[_WAS]


def note_sign_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Receiver of `user_logged_in`: this session is the user's; those that are over are forgotten."""
    note_session(request, user)
    keys = list(user.sign_ins.values_list("session_key", flat=True))
    alive = set(Session.objects.filter(session_key__in=keys).values_list("session_key", flat=True))
    user.sign_ins.filter(session_key__in=set(keys) - alive).delete()


def note_session(request: HttpRequest, user: Any) -> None:
    """The session has a key of its own, and it is the user's."""
    if not request.session.session_key:
        request.session.create()
    SignIn.objects.get_or_create(session_key=request.session.session_key, defaults={"user": user})


def note_sign_out(*, request: HttpRequest, **_: Any) -> None:
    """Receiver of `user_logged_out`."""
    SignIn.objects.filter(session_key=request.session.session_key or "").delete()
