"""Deleting analytics older than `ANALYTICS_DAYS`; with 0 days, all of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from .models import Event, Rollup, Salt, Visit
from .rollups import HOUR

#: Hourly rollups are kept for this time: the page reads only the last day by hour.
KEEP_HOURLY = timedelta(days=2)
#: Salts are kept for this time.
KEEP_SALTS = timedelta(days=2)

#: Rows deleted in one call.
_BATCH_SIZE = 2000


def prune() -> int:
    """Delete one batch of old rows; return their number. Called again until it returns 0. Blocks."""
    for old in _old_rows():
        ids = list(old.values_list("pk", flat=True)[:_BATCH_SIZE])
        if ids:
            old.model._default_manager.filter(pk__in=ids).delete()
            return len(ids)
    return 0


def _old_rows() -> Iterator[QuerySet[Any]]:
    now = timezone.now()
    before = now - timedelta(days=settings.ANALYTICS_DAYS)
    yield Event.objects.filter(at__lt=before).order_by("at")
    newest = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    yield Event.objects.filter(id__lte=newest - settings.MAX_EVENTS)
    yield Rollup.objects.filter(start__lt=before)
    yield Rollup.objects.filter(seconds=HOUR, start__lt=now - KEEP_HOURLY)
    yield Visit.objects.filter(day__lt=before.date()) if settings.ANALYTICS_DAYS else Visit.objects.all()
    newest = Visit.objects.order_by("-id").values_list("id", flat=True).first() or 0
    yield Visit.objects.filter(id__lte=newest - settings.MAX_EVENTS)
    yield Salt.objects.filter(day__lt=(now - KEEP_SALTS).date())
