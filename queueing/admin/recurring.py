"""Recurring jobs in the admin: made and edited here, unless code declares them; with actions and history."""

from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from queueing.control import audited_recurring
from queueing.control.actions import ACTIONS
from queueing.control.operator_action import MAX_NOTE, OperatorAction, Target
from queueing.errors import BadValue
from queueing.models import Job, RecurringJob
from queueing.recurring import history, overview
from queueing.recurring.definition import timing_of
from queueing.recurring.overview import RecurringView

from . import texts
from .actions import may_operate
from .recurring_form import RecurringForm

RECURRING_ACTIONS = {name: ACTIONS[name] for name in ("run_recurring", "pause_recurring", "resume_recurring")}
#: The entries of the history on a page.
_MAX_ENTRIES = 50


@admin.register(RecurringJob)
class RecurringJobAdmin(admin.ModelAdmin):
    form = RecurringForm
    list_display = ["name", "times", "kind", "state", "next_tick", "last_tick"]
    list_filter = ["paused"]
    search_fields = ["name", "kind"]
    change_form_template = "queueing/admin/recurring.html"
    list_per_page = 50

    class Media:
        css = {"all": ["queueing/admin.css"]}
        js = [Script("queueing/local-times.js", type="module")]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True also for operators."""
        return bool(super().has_view_permission(request, obj)) or may_operate(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may add one, and read arguments: it runs any kind, with any of them."""
        return super().has_add_permission(request) and _may_read(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj) and _may_read(request)
        return may and not (obj and obj.from_code)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and not (obj and obj.from_code and not obj.left_code)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in RecurringForm.Meta.fields if name != "args" or _may_read(request)]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, and read what its columns show of all rows at once."""
        found = super().get_changelist_instance(request)
        for view in overview.views(list(found.result_list)):
            cast(Any, view.row).view = view
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the definition, with an entry of the audit log."""
        key, actor = (obj.pk if change else None), request.user.get_username()
        obj.pk = audited_recurring.store(form.definition(), key=key, actor=actor).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audited_recurring.delete(obj.name, actor=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        own = path("<int:key>/do/<slug:name>/", act, name="queueing_recurring_action")
        return [own, *super().get_urls()]

    def act(self, request: HttpRequest, key: int, name: str) -> HttpResponse:
        """Ask for confirmation of an action, or perform it."""
        row = RecurringJob.objects.filter(pk=key).first()
        if name not in RECURRING_ACTIONS or not row:
            raise Http404
        action = RECURRING_ACTIONS[name]
        if not action.may(request.user):
            raise PermissionDenied
        back = reverse("admin:queueing_recurringjob_change", args=[key])
        if request.method == "POST":
            _perform(request, action, row.name)
            return HttpResponseRedirect(back)
        context = self.admin_site.each_context(request) | {
            "title": f"{action.title.format(recurring=row.name)}?",
            "action": action,
            "recurring": row,
            "back": back,
            "max_note": MAX_NOTE,
            "opts": self.opts,
        }
        return TemplateResponse(request, "queueing/admin/confirm.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs["obj"]
        details = _details(request, row) if row else {"time_zone": settings.TIME_ZONE}
        return super().render_change_form(request, context | details, *args, **kwargs)

    @admin.display(description="Times")
    def times(self, row: Any) -> str:
        return str(row.view.times)

    @admin.display(description="State")
    def state(self, row: Any) -> str:
        return _state(row.view)

    @admin.display(description="Next tick", ordering="next_at", empty_value="–")
    def next_tick(self, row: Any) -> str:
        return _time(row, row.view.next_at)

    @admin.display(description="Last tick", empty_value="–")
    def last_tick(self, row: Any) -> str:
        return _time(row, row.view.last.last_tick) if row.view.last else ""


def _may_read(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("queueing.view_contents"))


def _perform(request: HttpRequest, action: OperatorAction, name: str) -> None:
    note = request.POST.get("note", "")[:MAX_NOTE]
    try:
        done = action.perform(Target(recurring=name, actor=request.user.get_username(), note=note))
        messages.success(request, done)
    except BadValue as exc:
        messages.error(request, texts.not_performed(exc.message))


def _state(view: RecurringView) -> str:
    if view.row.paused:
        return "paused: it left the code" if view.row.left_code else "paused"
    if view.row.refusal:
        return "its job is refused"
    if view.is_late:
        return "late"
    return "its last jobs failed" if view.is_failing else "on"


def _time(row: RecurringJob, at: datetime | None) -> str:
    """Return a time in the zone of the recurring job. A script shows it in the zone of the reader."""
    if at is None:
        return ""
    try:
        local = at.astimezone(timing_of(row).zone)
    except BadValue:
        local = at
    return format_html(
        '<time datetime="{}" data-local>{}</time>', f"{at.isoformat()}", f"{local:%Y-%m-%d %H:%M:%S %Z}"
    )


def _details(request: HttpRequest, row: RecurringJob) -> dict[str, Any]:
    view = overview.views([row])[0]
    offered = ["run_recurring", "resume_recurring" if row.paused else "pause_recurring"]
    entries = list(row.ticks.all()[:_MAX_ENTRIES])
    jobs = Job.objects.in_bulk([entry.job_id for entry in entries if entry.job_id])
    return {
        "facts": [
            ("State", _state(view)),
            ("Times", view.times),
            ("Next tick", _time(row, view.next_at) or "–"),
            ("Queue", view.queue or "unknown kind"),
            ("Made by", "the code" if row.from_code else "the admin"),
        ],
        "refusal": row.refusal if _may_read(request) else "",
        "actions": [
            (RECURRING_ACTIONS[name].label, reverse("admin:queueing_recurring_action", args=[row.pk, name]))
            for name in offered
            if RECURRING_ACTIONS[name].may(request.user)
        ],
        "entries": [
            {
                "first": _time(row, entry.tick),
                "last": _time(row, entry.last_tick) if entry.last_tick != entry.tick else "",
                "number": history.number_of(entry),
                "outcome": history.IN_WORDS.get(entry.outcome, entry.outcome),
                "detail": entry.detail if _may_read(request) else "",
                "job": jobs.get(entry.job_id) if entry.job_id else None,
                "job_is_deleted": bool(entry.job_id) and entry.job_id not in jobs,
            }
            for entry in entries
        ],
        "is_declared": row.from_code and not row.left_code,
    }
