"""Cancel, retry, promote, remove: buttons of a job's page and actions of the list, each asked twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from queueing.conf import is_configured
from queueing.control import audited
from queueing.errors import WrongState
from queueing.models import Job
from queueing.schedule import redis_client
from queueing.states import TRANSITIONS, State

PERMISSION = "queueing.operate_queue"
#: Jobs that one action takes.
MOST = 500


@dataclass(frozen=True)
class Verb:
    """One of operating's, for jobs."""

    name: str
    does: Callable[..., Job]
    says: str
    """What it will do, to one job or to each of several."""

    def fits(self, job: Job) -> bool:
        """Whether the job's state allows it."""
        if self.name == "remove":
            return job.state != State.ACTIVE
        if self.name == "retry" and not is_configured(job.queue):
            return False
        return job.state in TRANSITIONS[self.name][0] and not (
            self.name == "promote" and job.unfinished_parents
        )


VERBS = {
    verb.name: verb
    for verb in (
        Verb("retry", audited.retry, "It runs anew, with all its attempts."),
        Verb("cancel", audited.cancel, "It ends, wherever it is; what it was doing is stopped."),
        Verb("promote", audited.promote, "It may start now instead of when it is due."),
        Verb("remove", audited.remove, "It is deleted with its history. This cannot be undone."),
    )
}


def may_operate(request: HttpRequest) -> bool:
    """Whether the user may do any of it."""
    return bool(request.user.has_perm(PERMISSION))


def ask_or_do(request: HttpRequest, verb: Verb, ids: Sequence[UUID], back: str) -> HttpResponse:
    """The page that asks, or, when it was answered, the deed and the way `back`."""
    if not (may_operate(request) and request.user.has_perm("queueing.view_job")):
        raise PermissionDenied
    if request.method == "POST" and "sure" in request.POST:
        _do(request, verb, ids)
        return HttpResponseRedirect(back)
    jobs = (
        Job.objects.filter(id__in=ids)
        .order_by("-id")
        .only("id", "kind", "queue", "state", "unfinished_parents")
    )
    context = admin.site.each_context(request) | {
        "title": f"{verb.name.capitalize()} {_number(ids)}?",
        "verb": verb,
        "jobs": jobs,
        "back": back,
        "opts": Job._meta,
    }
    return TemplateResponse(request, "queueing/admin/sure.html", context)


def _do(request: HttpRequest, verb: Verb, ids: Sequence[UUID]) -> None:
    """Each by itself, so that one that has moved on holds up no other."""
    refused: list[str] = []
    late = False
    for job_id in ids:
        try:
            verb.does(job_id, actor=request.user.get_username(), note=request.POST.get("note", "")[:500])
        except Job.DoesNotExist:
            refused.append(f"{job_id.hex[-8:]} is no longer there")
        except WrongState as exc:
            refused.append(f"{job_id.hex[-8:]}: {exc}")
        except redis_client.Unavailable:
            late = True
    if done := len(ids) - len(refused):
        messages.success(request, f"{verb.name.capitalize()}: done to {_number(ids[:done])}.")
    if late:
        messages.warning(
            request, "Redis is away: this is on record, and holds when a worker reaches Redis again."
        )
    if refused:
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        messages.error(request, f"Not done: {'; '.join(refused[:5])}{more}.")


def _number(ids: Sequence[Any]) -> str:
    return "this job" if len(ids) == 1 else f"{len(ids):,} jobs"


def as_action(verb: Verb) -> Any:
    """The verb for the list's menu."""

    @admin.action(description=f"{verb.name.capitalize()} selected jobs", permissions=["operate"])
    def act(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        ids = list(queryset.values_list("id", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            messages.error(request, f"That is more than {MOST} jobs. Select fewer, or use the dashboard.")
            return None
        return ask_or_do(request, verb, ids, request.get_full_path())

    act.__name__ = verb.name
    return act


def address(verb: Verb, job: Job) -> str:
    """Where a job's page sends whoever presses the verb's button."""
    return reverse("admin:queueing_job_verb", args=[job.pk, verb.name])
