"""The parts of the page: what each shows, and to whom.

A part is a template of the same name, rendered with what its function reads. `needs` names the fields of the
viewer that change the HTML, so that it is rendered once for all viewers with the same fields.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from queueing.control.actions import ACTIONS
from queueing.control.limit_texts import LABELS
from queueing.models import AuditEntry, RecurringJob
from queueing.monitoring import failures, health, overview
from queueing.record.database_thread import in_thread
from queueing.recurring import overview as overview_of_recurring
from queueing.recurring.overview import RecurringView

from . import forms, plotting
from .cache import TTLCache
from .plotting import SPANS
from .viewer import Viewer

#: The maximum number of jobs, groups of failures and audit entries on the page.
MAX_JOBS, MAX_GROUPS, MAX_ENTRIES = 50, 50, 15
#: The maximum number of recurring jobs that are read for it.
_MAX_RECURRING = 200
#: Seconds for which groups of failures, audit entries and recurring jobs are cached.
_GROUPS_TTL, _AUDIT_TTL, _RECURRING_TTL = 3.0, 1.0, 1.0
#: Seconds for which one round's overview, and a part made of it, are cached.
_ROUND_TTL = 0.5

Context = dict[str, Any]
Read = Callable[[Viewer, TTLCache], Awaitable[Context]]


class Part(NamedTuple):
    """A section of the page."""

    read: Read
    needs: tuple[str, ...] = ()
    """Fields of the viewer that change the HTML."""
    private: bool = False
    """Only for viewers who can view jobs."""
    ttl: Callable[[Viewer], float] = lambda _viewer: _ROUND_TTL
    """Seconds for which the HTML is cached."""


def for_viewer(viewer: Viewer) -> list[str]:
    """Return the names of the parts that the viewer may see."""
    return [name for name, part in PARTS.items() if viewer.can_view_jobs or not part.private]


async def render(name: str, viewer: Viewer, cache: TTLCache) -> str:
    """Return the part's HTML. Raise Django's `DatabaseError` when the database is unavailable."""
    part = PARTS[name]
    key = ("part", name, *(getattr(viewer, field) for field in part.needs))

    async def html() -> str:
        context = await part.read(viewer, cache) | {"viewer": viewer}
        return render_to_string(f"queueing/dashboard/{name}.html", context)

    return str(await cache.get(key, part.ttl(viewer), html, rest=False))


async def _overview(cache: TTLCache) -> Context:
    """Return the overview that all parts of one round share."""
    return dict(await cache.get("overview", _ROUND_TTL, health.queue_health))


async def _warnings(_viewer: Viewer, cache: TTLCache) -> Context:
    return {"warnings": (await _overview(cache))["warnings"]}


async def _queues(_viewer: Viewer, cache: TTLCache) -> Context:
    trends = await cache.get("trends", 20.0, in_thread(plotting.trends))
    return {"queues": [row | {"trend": trends[row["name"]]} for row in (await _overview(cache))["queues"]]}


async def _queue_detail(viewer: Viewer, cache: TTLCache) -> Context:
    rows = (await _overview(cache))["queues"]
    queue = next(
        (row | {"unfinished": _unfinished(row)} for row in rows if row["name"] == viewer.queue), None
    )
    offered = forms.queue_actions(queue) if queue else []
    actions = [action for action in offered if action.name in viewer.allowed]
    return {"queue": queue, "actions": actions, "labels": LABELS}


def _unfinished(row: Context) -> int | None:
    """Return the number of unfinished jobs; None while Redis is unavailable."""
    return row["waiting"] + row["active"] + row["delayed"] if "waiting" in row else None


async def _plots(viewer: Viewer, _cache: TTLCache) -> Context:
    span = SPANS[viewer.span]
    return {"plots": await in_thread(plotting.plots_of)(span, viewer.queue), "spans": SPANS.values()}


async def _workers(viewer: Viewer, cache: TTLCache) -> Context:
    now = await _overview(cache)
    return {
        "workers": now["workers"],
        "redis": now["redis"],
        "queues": len(now["queues"]),
        "actions": ACTIONS,
    }


async def _active(viewer: Viewer, cache: TTLCache) -> Context:
    jobs = await overview.active_jobs(viewer.queue, MAX_JOBS, contents=viewer.can_view_contents)
    rows = [row for row in (await _overview(cache))["queues"] if viewer.queue in ("", row["name"])]
    total = sum(row.get("active", 0) for row in rows)
    return {"jobs": jobs[:MAX_JOBS], "more": total - MAX_JOBS if len(jobs) >= MAX_JOBS else 0}


async def _failures(viewer: Viewer, cache: TTLCache) -> Context:
    async def read() -> list[Any]:
        return list(await in_thread(failures.groups)(viewer.queue, MAX_GROUPS))

    return {"groups": await cache.get(("groups", viewer.queue), _GROUPS_TTL, read), "actions": ACTIONS}


async def _audit(viewer: Viewer, cache: TTLCache) -> Context:
    def read() -> list[AuditEntry]:
        found = AuditEntry.objects.order_by("-id")
        return list((found.filter(queue=viewer.queue) if viewer.queue else found)[:MAX_ENTRIES])

    return {"entries": await cache.get(("audit", viewer.queue), _AUDIT_TTL, in_thread(read))}


async def _recurring(viewer: Viewer, cache: TTLCache) -> Context:
    def read() -> list[RecurringView]:
        return overview_of_recurring.views(list(RecurringJob.objects.all()[:_MAX_RECURRING]))

    found = await cache.get("recurring", _RECURRING_TTL, in_thread(read))
    return {"views": [v for v in found if viewer.queue in ("", v.queue)], "actions": ACTIONS}


PARTS = {
    "warnings": Part(_warnings, ("span",)),
    "queues": Part(_queues, ("queue", "span")),
    "queue_detail": Part(_queue_detail, ("queue", "allowed")),
    "active": Part(_active, ("can_view_jobs", "can_view_contents", "queue"), private=True),
    "failures": Part(_failures, ("queue", "allowed", "can_view_contents"), private=True),
    "recurring": Part(_recurring, ("queue", "allowed"), private=True),
    "workers": Part(_workers, ("allowed",)),
    "plots": Part(_plots, ("queue", "span"), ttl=lambda viewer: SPANS[viewer.span].redraw_after / 3),
    "audit": Part(_audit, ("queue",), private=True),
}
