"""Actions on jobs: buttons of a job's page and actions of the list. Each asks for confirmation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from queueing.conf import is_configured
from queueing.control import figures
from queueing.control.actions import ACTIONS
from queueing.control.operator_action import MAX_NOTE, OPERATE, OperatorAction, Target
from queueing.errors import WrongState
from queueing.models import Job
from queueing.schedule import redis_client
from queueing.states import TRANSITIONS, State

from . import texts

JOB_ACTIONS = {name: ACTIONS[name] for name in ("retry", "cancel", "promote", "remove")}
#: The maximum number of jobs for one action.
MAX_JOBS = 500


def allows(job: Job, action: OperatorAction) -> bool:
    """Return whether the job's state allows the action."""
    if action.name == "remove":
        return job.state != State.ACTIVE
    if action.name == "retry" and not is_configured(job.queue):
        return False
    return job.state in TRANSITIONS[action.name][0] and not (
        action.name == "promote" and job.unfinished_parents
    )


def may_operate(request: HttpRequest) -> bool:
    """Return whether the user may perform actions."""
    return bool(request.user.has_perm(OPERATE))


def confirm_or_perform(
    request: HttpRequest, action: OperatorAction, ids: Sequence[UUID], back: str
) -> HttpResponse:
    """Return the page that asks for confirmation. Once confirmed, perform the action and go `back`."""
    if not action.may(request.user):
        raise PermissionDenied
    if request.method == "POST" and "confirmed" in request.POST:
        _perform(request, action, ids)
        return HttpResponseRedirect(back)
    jobs = (
        Job.objects.filter(id__in=ids)
        .order_by("-id")
        .only("id", "kind", "queue", "state", "unfinished_parents")
    )
    subject = "this job" if len(ids) == 1 else figures.jobs(len(ids))
    context = admin.site.each_context(request) | {
        "title": f"{action.title.format(job=subject)}?",
        "action": action,
        "jobs": jobs,
        "back": back,
        "max_note": MAX_NOTE,
        "opts": Job._meta,
    }
    return TemplateResponse(request, "queueing/admin/confirm.html", context)


def _perform(request: HttpRequest, action: OperatorAction, ids: Sequence[UUID]) -> None:
    """Perform the action on each job separately, so that one refusal stops no other."""
    refused: list[str] = []
    late = False
    target = Target(actor=request.user.get_username(), note=request.POST.get("note", "")[:MAX_NOTE])
    for job_id in ids:
        try:
            action.apply(replace(target, job_id=job_id))
        except Job.DoesNotExist:
            refused.append(texts.not_found(job_id.hex[-8:]))
        except WrongState as exc:
            refused.append(f"{job_id.hex[-8:]}: {exc}")
        except redis_client.Unavailable:
            late = True
    if done := len(ids) - len(refused):
        messages.success(request, action.done.format(jobs=figures.jobs(done)))
    if late:
        messages.warning(request, texts.REDIS_UNAVAILABLE)
    if refused:
        messages.error(request, texts.refused(refused))


def changelist_action(action: OperatorAction) -> Any:
    """Return the action for the menu of the list. `JobAdmin.get_actions` offers it to those who may."""

    @admin.action(description=f"{action.label} selected jobs")
    def act(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        ids = list(queryset.values_list("id", flat=True)[: MAX_JOBS + 1])
        if len(ids) > MAX_JOBS:
            messages.error(request, texts.too_many_jobs(MAX_JOBS))
            return None
        return confirm_or_perform(request, JOB_ACTIONS[action.name], ids, request.get_full_path())

    act.__name__ = action.name
    return act


def address(action: OperatorAction, job: Job) -> str:
    """Return the address of the page that asks for confirmation."""
    return reverse("admin:queueing_job_action", args=[job.pk, action.name])
