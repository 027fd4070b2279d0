"""The page with a user's sessions. Ending one needs a recent proof: else a thief locks the owner out."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chat.accounts import texts
from chat.accounts.access.sessions.store import stored_key
from chat.accounts.access.signed_in import end_sessions, sessions_of

from .browsers import name_of


@require_safe
@login_required
def show(request: HttpRequest) -> HttpResponse:
    """Show when and where the user is signed in."""
    own = stored_key(request.session.session_key or "")
    rows = [
        {"row": row, "name": name_of(row.user_agent), "is_this": row.session_key == own}
        for row in sessions_of(request.user)
    ]
    rows.sort(key=lambda row: not row["is_this"])
    return render(request, "accounts/sessions.html", {"sessions": rows})


@require_POST
@login_required
@reauthentication_required
def end_one(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of the user's other sessions."""
    return _ended(request, texts.SESSION_ENDED, pk=session_id)


@require_POST
@login_required
@reauthentication_required
def end_others(request: HttpRequest) -> HttpResponse:
    """End all sessions of the user but this one."""
    return _ended(request, texts.SESSIONS_ENDED)


def _ended(request: Any, text: str, **which: Any) -> HttpResponse:
    own = stored_key(request.session.session_key)
    end_sessions(request.user.sessions.filter(**which).exclude(session_key=own))
    messages.success(request, text)
    return redirect("sessions")
