"""The page, the forms of its dialogs, and the actions that they submit."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from queueing.control.actions import CLEAN_DAYS
from queueing.control.figures import FINISHED_STATES
from queueing.control.operator_action import MAX_NOTE, OPERATE, Confirm, OperatorAction
from queueing.errors import BadValue, WrongState
from queueing.events.layers import HAS_CHANNELS
from queueing.models import Job
from queueing.schedule import redis_client

from . import forms, parts, texts
from .cache import TTLCache
from .viewer import Viewer, may_open, proof_page

logger = logging.getLogger(__name__)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Return the whole page with the queue and the span of the query."""
    viewer = Viewer.of(request.user, request.GET)
    context = {
        "viewer": viewer,
        "at": f"{timezone.now():%H:%M:%S}",
        "parts": async_to_sync(_parts)(viewer),
        "site_title": admin.site.site_title,
        "socket": "/ws/queue" if HAS_CHANNELS else "",
    }
    return render(request, "queueing/dashboard.html", context)


async def _parts(viewer: Viewer) -> dict[str, str]:
    cache = TTLCache()
    # Each part was rendered by its own template, which has escaped its values.
    return {name: mark_safe(await parts.render(name, viewer, cache)) for name in parts.for_viewer(viewer)}  # noqa: S308


def problem(status: int, detail: str, field: str = "") -> JsonResponse:
    """Return an error for the dialog: `{"detail", "field"}`."""
    return JsonResponse({"detail": detail, "field": field}, status=status)


def _for_operators(view: Callable[[HttpRequest, OperatorAction], HttpResponse]) -> Any:
    """Let staff with the permission call `view` with a known action; answer all others with a problem.

    An action that no other undoes may need a recent proof of identity first (`proof_page`).
    """

    @wraps(view)
    def checked(request: HttpRequest, name: str) -> HttpResponse:
        user: Any = request.user
        if not may_open(user, request.session):
            return problem(403, texts.NOT_SIGNED_IN)
        action = forms.OFFERED.get(name)
        if not (action.may(user) if action else user.has_perm(OPERATE)):
            return problem(403, texts.NOT_ALLOWED)
        if not action:
            return problem(404, texts.no_action(name))
        try:
            if action.confirm != Confirm.NO and (page := proof_page(request)):
                return JsonResponse({"detail": texts.PROVE_FIRST, "field": "", "proof": page}, status=403)
            return view(request, action)
        except ImproperlyConfigured:
            return problem(404, texts.NO_QUEUE)

    return checked


@require_safe
@_for_operators
def confirm_form(request: HttpRequest, action: OperatorAction) -> HttpResponse:
    """Return the form of an action's dialog, with the numbers of jobs that it would affect now."""
    target = forms.target_of(request.GET.dict(), request.user.get_username())
    context = {
        "action": action,
        "target": target,
        "heading": action.heading(target),
        "figures": action.figures(target),
        "limits": forms.limit_fields(target.queue) if "limits" in action.fields else None,
        "states": FINISHED_STATES,
        "days": CLEAN_DAYS,
        "max_note": MAX_NOTE,
    }
    return render(request, "queueing/dashboard/_confirm.html", context)


@require_POST
@_for_operators
def perform(request: HttpRequest, action: OperatorAction) -> HttpResponse:
    """Perform an action: a JSON object of form values in, `{"done": sentence}` or a problem out."""
    values = _values(request)
    if values is None:
        return problem(400, texts.NOT_A_FORM)
    if max(len(values.get("note", "")), len(values.get("text", ""))) > MAX_NOTE:
        return problem(422, texts.too_long(MAX_NOTE), "note")
    target = forms.target_of(values, request.user.get_username())
    if action.is_irreversible and values.get("confirm") != target.queue:
        return problem(422, texts.type_to_confirm(target.queue), "confirm")
    try:
        target = replace(target, **forms.field_values(action, target.queue, values))
        return JsonResponse({"done": action.perform(target)})
    except BadValue as exc:
        return problem(422, f"{exc.message[:1].upper()}{exc.message[1:].rstrip('.')}.", exc.field)
    except WrongState as exc:
        return problem(409, f"{str(exc).capitalize()}. {texts.CHANGED_MEANWHILE}")
    except (Job.DoesNotExist, ValidationError, ValueError):
        return problem(404, texts.NO_JOB)
    except redis_client.Unavailable as exc:
        logger.warning("%s by %s failed: Redis is unavailable: %s", action.name, target.actor, exc)
        return problem(503, texts.REDIS_UNAVAILABLE)


def _values(request: HttpRequest) -> dict[str, str] | None:
    try:
        values = json.loads(request.body)
    except ValueError:
        return None
    if isinstance(values, dict) and all(isinstance(value, str) for value in values.values()):
        return values
    return None
