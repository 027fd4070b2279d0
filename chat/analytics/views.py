"""The staff page: /admin/analytics/."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.companions.registry import COMPANIONS

from . import charts, costs, export, figures
from .figures import SPANS, Span


def for_staff(view: Any) -> Any:
    """Staff sign in; those of them without `analytics.view_event` are refused."""

    def checked(request: HttpRequest) -> Any:
        if not request.user.has_perm("analytics.view_event"):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(require_safe(checked))


@for_staff
def index(request: HttpRequest) -> HttpResponse:
    """Figures of a span and a companion, which the query names: `?span=7d&companion=travel`."""
    span, companion = _chosen(request)
    found = figures.read(span, companion)
    spent = costs.costs(found)
    context = {
        "span": span,
        "companion": companion,
        "spans": SPANS.values(),
        "companions": COMPANIONS.values(),
        "tiles": charts.tiles(found, spent),
        "plots": charts.drawings(found, spent),
        "tables": charts.tables(found, spent, costs.help_offered(found)),
        "may_see_feedback": request.user.has_perm("analytics.view_feedback"),
    }
    return render(request, "analytics/page.html", context)


@for_staff
def events_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same span's and companion's events as a file."""
    span, companion = _chosen(request)
    lines = export.lines(figures.steps(span)[0], companion)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"events-{companion or 'all'}-{span.id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _chosen(request: HttpRequest) -> tuple[Span, str]:
    """What the query names; a week and all companions where it names nothing there is."""
    companion = request.GET.get("companion", "")
    span = SPANS.get(request.GET.get("span", ""), SPANS["7d"])
    return span, companion if companion in COMPANIONS else ""
