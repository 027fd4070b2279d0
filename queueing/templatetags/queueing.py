"""Template filters of the staff's pages: numbers, limits, audit entries and JSON for people."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import async_to_sync
from django import template
from django.utils import timezone

from queueing.control import figures, limit_texts
from queueing.control.actions import label_of
from queueing.monitoring import health
from queueing.monitoring.charts import formats

register = template.Library()

Number = float | Literal[""] | None
"""A number of a template; '' is a missing key of a dictionary."""

#: The text for an unknown value.
UNKNOWN = "–"


@register.inclusion_tag("queueing/admin/queues.html")
def queue_table() -> dict[str, Any]:
    """Show the counts of each queue, and the warnings. Blocks."""
    return async_to_sync(health.queue_health)()


@register.filter
def seconds(value: Number) -> str:
    """Format a duration in seconds: `2.3 s`."""
    return UNKNOWN if value is None or value == "" else formats.seconds(float(value))


@register.filter
def count(value: Number) -> str:
    """Format a number in few characters: `1.2k`."""
    return UNKNOWN if value is None or value == "" else formats.count(value)


@register.filter
def whole(value: Number) -> str:
    """Format all digits of a number: `1,234`."""
    return UNKNOWN if value is None or value == "" else formats.whole(value)


@register.filter
def share(value: Number) -> str:
    """Format a share from 0 to 1 in per cent."""
    return UNKNOWN if value is None or value == "" else formats.share(value)


@register.filter
def megabytes(value: Number) -> str:
    """Format a number of bytes: `63 MB`."""
    return f"{value / 1e6:.0f} MB" if value else UNKNOWN


@register.filter
def ago(value: datetime | None) -> str:
    """Format the time since `value`: `4 min ago`."""
    if not value:
        return UNKNOWN
    return f"{formats.seconds(max(0.0, (timezone.now() - value).total_seconds() // 1))} ago"


@register.filter
def until(value: datetime | None) -> str:
    """Format the time until `value`: `in 4 min`, or `now`."""
    if not value:
        return UNKNOWN
    seconds = (value - timezone.now()).total_seconds() // 1
    return f"in {formats.seconds(seconds)}" if seconds > 0 else "now"


@register.filter
def limiter(value: Mapping[str, Any] | None) -> str:
    """Format the rate limit of an overview: `2 per 60 s`."""
    return limit_texts.in_words((value["max"], value["duration"]) if value else None)


@register.filter
def action_label(name: str) -> str:
    """Return the label of an action by its name in the audit log."""
    return label_of(name)


@register.filter
def audit_detail(detail: Mapping[str, Any]) -> str:
    """Format the detail of an audit entry."""
    return figures.of_entry(detail)


@register.filter
def pretty(value: Any) -> str:
    """Format JSON with line breaks."""
    return json.dumps(value, indent=1, ensure_ascii=False)
