"""Events as the page and the server tell them."""

from datetime import datetime
from typing import Any

from django.utils import timezone

ON = {"ANALYTICS_DAYS": "90"}


def row(name: str, at: datetime | None = None, visitor: str = "", **more: Any) -> list[Any]:
    """An event as a job carries it."""
    companion = more.pop("companion", "travel")
    return [(at or timezone.now()).timestamp(), name, companion, visitor, more]
