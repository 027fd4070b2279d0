"""The staff page: /admin/analytics/."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.companions.registry import name_of

from . import charts, costs, export, figures
from .figures import SPANS, Span

PERMISSION = "analytics.view_event"


def _may_still(user_id: int) -> bool:
    """Return whether a user still has the permission. Blocks."""
    user = get_user_model()._default_manager.filter(pk=user_id, is_active=True, is_staff=True).first()
    return user is not None and user.has_perm(PERMISSION)


def for_staff(view: Any) -> Any:
    """Restrict a view to signed-in staff with the permission `analytics.view_event`."""

    def checked(request: HttpRequest) -> Any:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(require_safe(checked))


def index(request: HttpRequest) -> HttpResponse:
    """Show the figures; to staff who may read only other tables of this app, the list of those tables.

    The first page of the admin links here with the name of the app.
    """
    user: Any = request.user
    if user.is_staff and not user.has_perm("analytics.view_event") and user.has_module_perms("analytics"):
        return admin.site.app_index(request, "analytics")
    return _figures(request)


@for_staff
def _figures(request: HttpRequest) -> HttpResponse:
    """Show the figures of a span and a companion, such as `?span=7d&companion=travel`."""
    span, companion, companions = _selection(request)
    found = figures.read(span, companion)
    spent = costs.costs(found)
    context = {
        "span": span,
        "companion": companion,
        "spans": SPANS.values(),
        "companions": [(name, name_of(name)) for name in companions],
        "tiles": charts.tiles(found, spent),
        "plots": charts.plots(found, spent),
        "tables": charts.tables(found, spent, costs.help_offered(found)),
        "may_see_feedback": request.user.has_perm("analytics.view_feedback"),
    }
    return render(request, "analytics/page.html", context)


@for_staff
def events_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Download the events of a span and a companion as CSV."""
    span, companion, _ = _selection(request)
    lines = export.lines(
        figures.step_starts(span)[0], companion, is_allowed=partial(_may_still, request.user.pk)
    )
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"events-{companion or 'all'}-{span.id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _selection(request: HttpRequest) -> tuple[Span, str, list[str]]:
    """Return the span and companion of the query, and the companions to choose from.

    The default is 7 days and all companions.
    """
    companion, companions = request.GET.get("companion", ""), figures.companions()
    span = SPANS.get(request.GET.get("span", ""), SPANS["7d"])
    return span, companion if companion in companions else "", companions
