"""The page's parts: what each shows, and to whom.

A part is a template of the same name, rendered with what its function reads. The fields of the view that
it depends on are named, so that it is made once for all to whom it looks the same.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from queueing.models import AuditEntry
from queueing.monitoring import failures, health, overview
from queueing.record.database_thread import in_thread

from . import plotting
from .cache import Kept
from .plotting import SPANS
from .viewer import View

#: Jobs, groups of failures and acts of operators that are shown.
JOBS, GROUPS, ACTS = 50, 50, 15
#: Seconds for which what was read of these is good enough.
_GROUPS, _ACTS = 3.0, 1.0

Context = dict[str, Any]
Read = Callable[[View, Kept], Awaitable[Context]]


class Part(NamedTuple):
    """A section of the page."""

    read: Read
    needs: tuple[str, ...] = ()
    """Fields of the view that make a difference."""
    private: bool = False
    """Only for those who see jobs."""
    fresh: Callable[[View], float] = lambda _view: 0.5
    """Seconds for which what was rendered is good; as a rule, for one round."""


def for_view(view: View) -> list[str]:
    """The names of the parts that are shown to it."""
    return [name for name, part in PARTS.items() if view.sees or not part.private]


async def render(name: str, view: View, kept: Kept) -> str:
    """The part's HTML. Raises Django's `DatabaseError` when the database is away."""
    part = PARTS[name]
    seen = tuple(getattr(view, field) for field in part.needs)

    async def made() -> str:
        context = await part.read(view, kept) | {"view": view}
        return render_to_string(f"queueing/dashboard/{name}.html", context)

    return str(await kept.get(("part", name, *seen), part.fresh(view), made, rest=False))


async def _overview(kept: Kept) -> Context:
    """One look for all parts of one round."""
    return dict(await kept.get("look", 0.5, health.queue_health))


async def _warnings(_view: View, kept: Kept) -> Context:
    return {"warnings": (await _overview(kept))["warnings"]}


async def _queues(view: View, kept: Kept) -> Context:
    trends = await kept.get("trends", 20.0, in_thread(plotting.trends))
    queues = [
        row | {"trend": trends[row["name"]], "unfinished": _unfinished(row)}
        for row in (await _overview(kept))["queues"]
    ]
    chosen = next((queue for queue in queues if queue["name"] == view.queue), None)
    return {"queues": queues, "chosen": chosen}


def _unfinished(row: Context) -> int | None:
    """None while Redis is away."""
    return row["waiting"] + row["active"] + row["delayed"] if "waiting" in row else None


async def _plots(view: View, _kept: Kept) -> Context:
    span = SPANS[view.span]
    return {"plots": await in_thread(plotting.drawings)(span, view.queue), "spans": SPANS.values()}


async def _workers(_view: View, kept: Kept) -> Context:
    seen = await _overview(kept)
    return {"workers": seen["workers"], "redis": seen["redis"]}


async def _active(view: View, kept: Kept) -> Context:
    shown = (await overview.active_jobs(view.queue, JOBS, contents=view.reads))[:JOBS]
    rows = [row for row in (await _overview(kept))["queues"] if view.queue in ("", row["name"])]
    return {"jobs": shown, "most": JOBS, "more": sum(row.get("active", 0) for row in rows) - len(shown)}


async def _failures(view: View, kept: Kept) -> Context:
    async def read() -> list[Any]:
        return list(await in_thread(failures.groups)(view.queue, GROUPS))

    groups = await kept.get(("groups", view.queue), _GROUPS, read)
    return {"groups": groups}


async def _acts(view: View, kept: Kept) -> Context:
    def read() -> list[AuditEntry]:
        found = AuditEntry.objects.order_by("-id")
        return list((found.filter(queue=view.queue) if view.queue else found)[:ACTS])

    return {"acts": await kept.get(("acts", view.queue), _ACTS, in_thread(read))}


PARTS = {
    "warnings": Part(_warnings),
    "queues": Part(_queues, ("queue", "span")),
    "chosen": Part(_queues, ("queue", "operates")),
    "active": Part(_active, ("sees", "reads", "queue"), private=True),
    "failures": Part(_failures, ("queue", "operates", "reads"), private=True),
    "workers": Part(_workers),
    "plots": Part(_plots, ("queue", "span"), fresh=lambda view: SPANS[view.span].fresh / 3),
    "acts": Part(_acts, ("queue",), private=True),
}
