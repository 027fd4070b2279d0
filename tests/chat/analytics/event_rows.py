"""Rows of events as the jobs of the queue `analytics` carry them."""

from datetime import datetime
from typing import Any

from django.utils import timezone

#: The environment of a cluster with analytics.
ANALYTICS_ON = {"ANALYTICS_DAYS": "90"}


def event_row(name: str, at: datetime | None = None, visitor: str = "", **more: Any) -> list[Any]:
    """Return an event as a job carries it."""
    companion = more.pop("companion", "travel")
    return [(at or timezone.now()).timestamp(), name, companion, visitor, more]
