"""Numbers, and what jobs are about, as the staff's templates say them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import async_to_sync
from django import template
from django.utils import timezone

from queueing.monitoring import health
from queueing.monitoring.charts import formats

register = template.Library()

Number = float | Literal[""] | None
"""What a template has: '' is what is missing in a dictionary."""

#: What the page says for what is not known.
NOTHING = "–"


@register.inclusion_tag("queueing/admin/queues.html")
def queues_now() -> dict[str, Any]:
    """What each queue holds at this moment, and what to look at. Blocks."""
    return async_to_sync(health.queue_health)()


@register.filter
def seconds(value: Number) -> str:
    """A duration in seconds: `2.3 s`."""
    return NOTHING if value is None or value == "" else formats.seconds(float(value))


@register.filter
def count(value: Number) -> str:
    """`1.2k`."""
    return NOTHING if value is None or value == "" else formats.count(value)


@register.filter
def whole(value: Number) -> str:
    """`1,234`."""
    return NOTHING if value is None or value == "" else formats.whole(value)


@register.filter
def share(value: Number) -> str:
    """0 to 1 as per cent."""
    return NOTHING if value is None or value == "" else formats.share(value)


@register.filter
def megabytes(value: Number) -> str:
    """Bytes: `63 MB`."""
    return f"{value / 1e6:.0f} MB" if value else NOTHING


@register.filter
def ago(value: datetime | None) -> str:
    """`4 min ago`; in days what is older."""
    return (
        f"{formats.seconds(max(0.0, (timezone.now() - value).total_seconds() // 1))} ago"
        if value
        else NOTHING
    )


@register.filter
def limiter(value: Mapping[str, Any] | None) -> str:
    """`2 in 60 s`."""
    return f"{value['max']} in {formats.seconds(value['duration'])}" if value else "none"


@register.filter
def words(verb: str) -> str:
    """`set_limits` as people write it."""
    return verb.replace("_", " ")


@register.filter
def deed(detail: Mapping[str, Any]) -> str:
    """The figures of an audit entry: `37 jobs`, `concurrency 3 → 5`, or a group's note."""
    before, parts = detail.get("before", {}), []
    if "jobs" in detail:
        parts.append(f"{detail['jobs']:,} job{'' if detail['jobs'] == 1 else 's'}")
    for name, value in detail.get("after", {}).items():
        parts.append(f"{name.replace('_', ' ')} {_limit(before.get(name))} → {_limit(value)}")
    return ", ".join(parts) or str(detail.get("text", ""))


def _limit(value: Any) -> str:
    """A limit as an entry keeps it: a number, or of a limiter its two."""
    if isinstance(value, list):
        return f"{value[0]} in {formats.seconds(value[1])}"
    return "none" if value is None else str(value)


@register.filter
def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=1, ensure_ascii=False)
