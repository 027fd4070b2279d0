"""The work of the queue `analytics`. Runs in `manage.py qcluster`."""

from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction

from queueing.api import Cooldown, Job, JobContext, job

from .rollups import store

#: Seconds the queue rests while the database is away.
_REST = 5.0


@job("analytics.write", queue="analytics", topic="analytics")
def write(ctx: JobContext, *, events: list[list[Any]] | None = None) -> None:
    """Keep a batch of events, exactly once: the same transaction takes them out of the job."""
    try:
        with transaction.atomic():
            # A second run finds nothing left; and what visitors did is not kept for longer in a job's
            # arguments than in its table.
            mine = Job.objects.filter(id=ctx.job_id).exclude(args={}).update(args={})
            if events and mine and settings.ANALYTICS_DAYS:
                store(events)
    except OperationalError as exc:
        raise Cooldown("The database is away.", code="database_away", after=_REST) from exc
