"""Jobs in the admin: searched, viewed, and changed by actions; never edited."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from queueing.models import AuditEntry, Dependency, Job
from queueing.monitoring.charts import formats

from . import actions, facts, search, texts, timeline
from .readonly import Undeletable

#: The maximum number of log lines, and of audit entries and related jobs, on a job's page.
_MAX_LINES, _MAX_RELATED = 200, 50


@admin.register(Job)
class JobAdmin(Undeletable):
    #: What a narrow window still shows comes first.
    list_display = ["short", "kind", "queue", "state", "error_code", "tried", "submitted", "ran"]
    list_filter = search.FILTERS
    search_fields = ["id"]  # shows the search form; get_search_results does the search
    search_help_text = texts.search_help(search.NEWEST)
    newest = None  # `search.AgeFilter` limits them
    actions = [actions.changelist_action(action) for action in actions.JOB_ACTIONS.values()]
    change_form_template = "queueing/admin/job.html"

    class Media:
        css = {"all": ["queueing/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("args", "meta", "result", "text", "error")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not (term := search_term.strip()):
            return queryset, False
        return search.find(queryset, term, in_errors=_may_read(request)), False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True also for operators."""
        return bool(super().has_view_permission(request, obj)) or actions.may_operate(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions of the list that the user may perform."""
        denied = {name for name, action in actions.JOB_ACTIONS.items() if not action.may(request.user)}
        return {name: act for name, act in super().get_actions(request).items() if name not in denied}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return []  # the template shows all fields

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        return [path("<uuid:job_id>/do/<slug:name>/", act, name="queueing_job_action"), *super().get_urls()]

    def act(self, request: HttpRequest, job_id: UUID, name: str) -> HttpResponse:
        """Ask for confirmation of an action, or perform it."""
        if name not in actions.JOB_ACTIONS or not Job.objects.filter(id=job_id).exists():
            raise Http404
        page = "admin:queueing_job_changelist" if name == "remove" else "admin:queueing_job_change"
        back = reverse(page, args=[] if name == "remove" else [job_id])
        return actions.confirm_or_perform(request, actions.JOB_ACTIONS[name], [job_id], back)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(
            request, context | _details(request, kwargs["obj"]), *args, **kwargs
        )

    @admin.display(description="Job")
    def short(self, job: Job) -> str:
        return format_html("<code>{}</code>", job.pk.hex[-8:])

    @admin.display(description="Submitted", ordering="created_at")
    def submitted(self, job: Job) -> str:
        return f"{timezone.localtime(job.created_at):%Y-%m-%d %H:%M}"

    @admin.display(description="Attempts")
    def tried(self, job: Job) -> str:
        return f"{job.attempts} of {job.max_attempts}"

    @admin.display(description="Run time")
    def ran(self, job: Job) -> str:
        if not (job.started_at and job.finished_at):
            return "–"
        return formats.seconds(max(0.0, (job.finished_at - job.started_at).total_seconds()))


def _may_read(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("queueing.view_contents"))


def _details(request: HttpRequest, job: Job) -> dict[str, Any]:
    offered = [action for action in actions.JOB_ACTIONS.values() if actions.allows(job, action)]
    return {
        "title": f"{job.kind} {job.pk.hex[-8:]}",
        "subtitle": None,
        "facts": facts.facts(job),
        "tags": list(job.tags.values_list("tag", flat=True)),
        "spans": timeline.spans(job),
        "width": timeline.WIDTH,
        "actions": [
            (action.label, actions.address(action, job)) for action in offered if action.may(request.user)
        ],
        "parents": Dependency.objects.filter(job=job).select_related("parent")[:_MAX_RELATED],
        "dependents": Dependency.objects.filter(parent=job).select_related("job")[:_MAX_RELATED],
        "audit": AuditEntry.objects.filter(job_id=job.pk)[:_MAX_RELATED],
        "may_read": _may_read(request),
        "lines": job.log.all()[:_MAX_LINES] if _may_read(request) else [],
    }
