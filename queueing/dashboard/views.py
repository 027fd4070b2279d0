"""The page, the forms of its dialogs, and what they do."""

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from queueing.errors import BadValue, WrongState
from queueing.models import Job
from queueing.schedule import redis_client

from . import parts
from .actions import ACTIONS, DAYS, Action, Asked
from .cache import Kept
from .limits import limits_of
from .viewer import View, is_staff

logger = logging.getLogger(__name__)

#: Characters a note may have.
LONGEST_NOTE = 500


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page as it is now, of the queue and span that the query names."""
    view = View.of(request.user, request.GET)
    context = {"view": view, "at": f"{timezone.now():%H:%M:%S}", "parts": async_to_sync(_parts)(view)}
    return render(request, "queueing/dashboard.html", context)


async def _parts(view: View) -> dict[str, str]:
    kept = Kept()
    # Each was rendered by its own template, which has escaped what needs it.
    return {name: mark_safe(await parts.render(name, view, kept)) for name in parts.for_view(view)}  # noqa: S308


def problem(status: int, detail: str, field: str = "") -> JsonResponse:
    """What went wrong, for the dialog: `{"detail", "field"}`."""
    return JsonResponse({"detail": detail, "field": field}, status=status)


def _for_operators(view: Callable[[HttpRequest, Action, str], HttpResponse]) -> Any:
    """Staff who may operate queues, and verbs there are; all else is answered with a problem."""

    @wraps(view)
    def checked(request: HttpRequest, verb: str) -> HttpResponse:
        user: Any = request.user
        if not is_staff(user):
            return problem(403, "You are not signed in as staff. Sign in again, then repeat it.")
        if not user.has_perm("queueing.operate_queue"):
            return problem(403, "You may look, but not act: that takes the permission to operate queues.")
        if verb not in ACTIONS:
            return problem(404, f"There is no action {verb!r}.")
        try:
            return view(request, ACTIONS[verb], verb)
        except ImproperlyConfigured:
            return problem(404, "This queue is no longer in the settings.")

    return checked


@require_safe
@_for_operators
def ask(request: HttpRequest, action: Action, verb: str) -> HttpResponse:
    """The form of a verb's dialog, which says what would happen now."""
    asked = Asked(request.GET.dict(), request.user.get_username())
    context = {
        "verb": verb,
        "action": action,
        "title": action.title.format(queue=asked.queue),
        "sentences": action.says(asked),
        "queue": asked.queue,
        "values": {name: asked.get(name) for name in ("kind", "code", "job")},
        "limits": limits_of(asked.queue) if "limits" in action.fields else None,
        "days": DAYS,
        "longest": LONGEST_NOTE,
    }
    return render(request, "queueing/dashboard/_ask.html", context)


@require_POST
@_for_operators
def act(request: HttpRequest, action: Action, verb: str) -> HttpResponse:
    """Do it: the form's values as a JSON object in, `{"done": sentence}` or a problem out."""
    values = _values(request)
    if values is None:
        return problem(400, "This is not a JSON object of texts.")
    if len(values.get("note", "")) > LONGEST_NOTE or len(values.get("text", "")) > LONGEST_NOTE:
        return problem(422, f"A note has {LONGEST_NOTE} characters at most.", "note")
    asked = Asked(values, request.user.get_username())
    if action.dangerous and asked.get("confirm") != asked.queue:
        return problem(422, f"Type {asked.queue} to say that you mean it.", "confirm")
    try:
        return JsonResponse({"done": action.does(asked)})
    except BadValue as exc:
        return problem(422, f"{exc.message[:1].upper()}{exc.message[1:].rstrip('.')}.", exc.field)
    except WrongState as exc:
        return problem(409, f"{str(exc).capitalize()}. Somebody may have been quicker.")
    except (Job.DoesNotExist, ValidationError, ValueError):
        return problem(404, "This job is no longer there.")
    except redis_client.Unavailable as exc:
        logger.warning("%s by %s while Redis is away: %s", verb, asked.actor, exc)
        return problem(503, "Redis is away. Try again when it is back; doing it twice does no harm.")


def _values(request: HttpRequest) -> dict[str, str] | None:
    try:
        said = json.loads(request.body)
    except ValueError:
        return None
    if isinstance(said, dict) and all(isinstance(value, str) for value in said.values()):
        return said
    return None
