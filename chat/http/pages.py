"""The page: an empty shell that its scripts fill."""

import secrets
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chat import limits
from chat.accounts.access.owners import adopted_visitor, owner_of_request, with_session
from chat.accounts.signing_in.sessions import merge_late
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


class _Reader(NamedTuple):
    """Who reads the page."""

    owner: str
    adopted: str
    name: str
    """The name of a user; empty for a visitor."""
    is_staff: bool


@require_safe
@ensure_csrf_cookie
async def index(request: HttpRequest, thread_id: str = "") -> HttpResponse:
    """Return the shell, the same for a new conversation and for every thread. The API checks the owner."""
    reader = await with_session(_reader_of)(request)
    if limits.is_within("events", client_address(request)):  # each new cookie is a row
        track("page.opened", owner=reader.owner)
    begin, middle, end = _page_for_all()
    own = reader._asdict() | {
        "sign_in_helps": not reader.name and budgets.users_have_more(),
        "path": request.path,
    }
    return HttpResponse(
        [begin, render_to_string("chat/_reader.html", own), middle, _links(reader.name, reader.is_staff), end]
    )


def _reader_of(request: HttpRequest) -> _Reader:
    merge_late(request)
    owner = owner_of_request(request)  # begins the session now: the socket cannot set a cookie later
    if request.session.is_half_over:
        request.session.modified = True  # stored again, so those who come back stay
    user: Any = request.user
    return _Reader(owner, adopted_visitor(request.session), user.get_username(), user.is_staff)


@lru_cache(maxsize=256)
def _links(name: str, is_staff: bool) -> str:
    return render_to_string("chat/_links.html", {"name": name, "is_staff": is_staff})


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
