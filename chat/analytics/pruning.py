"""What is older than `ANALYTICS_DAYS` goes; with 0 days, all of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from .models import Event, Rollup, Salt, Visit
from .rollups import HOUR

#: The page reads hours of the last day alone; older ones are in the days.
HOURS_KEPT = timedelta(days=2)
SALTS_KEPT = timedelta(days=2)

_AT_ONCE = 2000


def prune() -> int:
    """Delete some of what is too old; how many. Called again until it answers 0. Blocks."""
    for old in _old():
        ids = list(old.values_list("pk", flat=True)[:_AT_ONCE])
        if ids:
            old.model._default_manager.filter(pk__in=ids).delete()
            return len(ids)
    return 0


def _old() -> Iterator[QuerySet[Any]]:
    now = timezone.now()
    before = now - timedelta(days=settings.ANALYTICS_DAYS)
    yield Event.objects.filter(at__lt=before).order_by("at")
    yield Rollup.objects.filter(start__lt=before)
    yield Rollup.objects.filter(seconds=HOUR, start__lt=now - HOURS_KEPT)
    yield Visit.objects.filter(day__lt=before.date()) if settings.ANALYTICS_DAYS else Visit.objects.all()
    yield Salt.objects.filter(day__lt=(now - SALTS_KEPT).date())
