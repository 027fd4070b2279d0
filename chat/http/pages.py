"""The page: an empty shell that its scripts fill."""

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chat import limits
from chat.accounts.access.owners import adopted_visitor, owner_of_request
from chat.accounts.sessions import merge_late
from chat.analytics.models import FeedbackReason
from chat.analytics.tracking.tracker import track
from chat.companions.registry import COMPANIONS
from chat.limits.addresses import client_address
from chat.usage import budgets
from queueing.api import get_kind

#: Stands in the kept page where the parts of its reader come. It is random, so no setting contains it.
_GAP = secrets.token_hex(16)
#: The latest page without the parts of a reader, and the context from which it was rendered.
_kept: tuple[dict[str, Any], list[str]] | None = None


@require_safe
@ensure_csrf_cookie
def index(request: HttpRequest, thread_id: str = "") -> HttpResponse:
    """Return the shell, the same for a new conversation and for every thread. The API checks the owner."""
    merge_late(request)
    owner = owner_of_request(request)  # begins the session now: the socket cannot set a cookie later
    if request.session.is_half_over:
        request.session.modified = True  # stored again, so those who come back stay
    if limits.is_within("events", client_address(request)):  # each new cookie is a row
        track("page.opened", owner=owner)
    begin, middle, end = _page_for_all()
    return HttpResponse([begin, _reader(request, owner), middle, _links(request), end])


def _reader(request: HttpRequest, owner: str) -> str:
    context = {
        "owner": owner,
        "adopted": adopted_visitor(request.session),
        "sign_in_helps": request.user.is_anonymous and budgets.users_have_more(),
        "path": request.path,
    }
    return render_to_string("chat/_reader.html", context)


def _links(request: HttpRequest) -> str:
    return render_to_string("chat/_links.html", {"user": request.user})


def _page_for_all() -> list[str]:
    """Return the page around the parts of its reader. It is rendered once, since only settings change it.

    The template gets no request, so nothing of one reader can come into the pages of others.
    """
    global _kept
    context = {
        "gap": _GAP,
        "site_banner": settings.BANNER,
        "reasons": FeedbackReason.choices,
        "companions": [companion.public() for companion in COMPANIONS.values()],
        "demo_model": settings.DEMO_MODEL,
        "model_name": settings.OPENAI_MODEL,
        "voice": bool(settings.OPENAI_TRANSCRIPTION_MODEL),
        "demo_speech": settings.DEMO_SPEECH,
        "remind": {"messages": settings.CARE_REMIND_MESSAGES, "minutes": settings.CARE_REMIND_MINUTES},
        "reply_queue": get_kind("chat.reply").queue,
    }
    if _kept is None or _kept[0] != context or settings.DEBUG:
        _kept = context, render_to_string("chat/index.html", context).split(_GAP)
    return _kept[1]
