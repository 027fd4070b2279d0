"""The page: an empty shell that its scripts fill."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
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
    context = {
        "owner": owner,
        "adopted": adopted_visitor(request.session),
        "reasons": FeedbackReason.choices,
        "companions": [companion.public() for companion in COMPANIONS.values()],
        "demo_model": settings.DEMO_MODEL,
        "model_name": settings.OPENAI_MODEL,
        "voice": bool(settings.OPENAI_TRANSCRIPTION_MODEL),
        "demo_speech": settings.DEMO_SPEECH,
        "remind": {"messages": settings.CARE_REMIND_MESSAGES, "minutes": settings.CARE_REMIND_MINUTES},
        "reply_queue": get_kind("chat.reply").queue,
        "thread_id": thread_id,
        "sign_in_helps": request.user.is_anonymous and budgets.users_have_more(),
    }
    return render(request, "chat/index.html", context)
