"""Jobs: found, looked at, and moved by verbs; never edited."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html

from queueing.models import AuditEntry, Dependency, Job
from queueing.monitoring.charts import formats

from . import finding, timeline, verbs
from .readonly import Undeletable

#: Lines of a job's log, entries of its audit, and jobs around it, that its page shows.
_LINES, _AROUND = 200, 50


@admin.register(Job)
class JobAdmin(Undeletable):
    list_display = ["short", "kind", "queue", "state", "tried", "created_at", "ran", "error_code"]
    list_filter = finding.FILTERS
    search_fields = ["id"]  # there is something to search; get_search_results does it
    search_help_text = finding.SEARCH_HELP
    sortable_by: list[str] = []
    actions = [verbs.as_action(verb) for verb in verbs.VERBS.values()]
    change_form_template = "queueing/admin/job.html"

    class Media:
        css = {"all": ["queueing/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("args", "meta", "result", "text", "error")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not (term := search_term.strip()):
            return queryset, False
        return finding.find(queryset, term, in_errors=_may_read(request)), False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may move jobs may see them."""
        return bool(super().has_view_permission(request, obj)) or verbs.may_operate(request)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Asked by Django before it offers an action."""
        return verbs.may_operate(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return []  # the page's template shows it all

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        return [path("<uuid:job_id>/do/<slug:verb>/", act, name="queueing_job_verb"), *super().get_urls()]

    def act(self, request: HttpRequest, job_id: UUID, verb: str) -> HttpResponse:
        """Ask whether a verb is meant, and do it."""
        if verb not in verbs.VERBS or not Job.objects.filter(id=job_id).exists():
            raise Http404
        page = "admin:queueing_job_changelist" if verb == "remove" else "admin:queueing_job_change"
        back = reverse(page, args=[] if verb == "remove" else [job_id])
        return verbs.ask_or_do(request, verbs.VERBS[verb], [job_id], back)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(request, context | _shown(request, kwargs["obj"]), *args, **kwargs)

    @admin.display(description="Job")
    def short(self, job: Job) -> str:
        return format_html("<code>{}</code>", job.pk.hex[-8:])

    @admin.display(description="Attempts")
    def tried(self, job: Job) -> str:
        return f"{job.attempts} of {job.max_attempts}"

    @admin.display(description="Ran")
    def ran(self, job: Job) -> str:
        if not (job.started_at and job.finished_at):
            return "–"
        return formats.seconds(max(0.0, (job.finished_at - job.started_at).total_seconds()))


def _may_read(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("queueing.view_contents"))


def _shown(request: HttpRequest, job: Job) -> dict[str, Any]:
    acts = [v for v in verbs.VERBS.values() if v.fits(job)] if verbs.may_operate(request) else []
    return {
        "title": f"{job.kind} {job.pk.hex[-8:]}",
        "subtitle": None,
        "facts": timeline.facts(job),
        "spans": timeline.spans(job),
        "width": timeline.WIDTH,
        "acts": [(v.name.capitalize(), verbs.address(v, job)) for v in acts],
        "parents": Dependency.objects.filter(job=job).select_related("parent")[:_AROUND],
        "dependents": Dependency.objects.filter(parent=job).select_related("job")[:_AROUND],
        "audit": AuditEntry.objects.filter(job_id=job.pk)[:_AROUND],
        "may_read": _may_read(request),
        "lines": job.log.all()[:_LINES] if _may_read(request) else [],
    }
