"""The job of the queue `analytics`: storing a batch of events."""

from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction

from queueing.api import Cooldown, Job, JobContext, job

from . import texts
from .rollups import store_events

#: Seconds for which the queue waits (a cooldown) while the database is unavailable.
_COOLDOWN = 5.0


@job("analytics.write", queue="analytics", topic="analytics")
def write(ctx: JobContext, *, events: list[list[Any]] | None = None) -> None:
    """Store a batch of events exactly once: the same transaction removes them from the job."""
    try:
        with transaction.atomic():
            # A second run finds no events. Job rows also live longer than events may be stored.
            is_first = Job.objects.filter(id=ctx.job_id).exclude(args={}).update(args={})
            if events and is_first and settings.ANALYTICS_DAYS:
                store_events(events)
    except OperationalError as exc:
        raise Cooldown(texts.DATABASE_UNAVAILABLE, code="database_away", after=_COOLDOWN) from exc
