"""The health warnings about recurring jobs."""

from queueing.models import RecurringJob
from queueing.monitoring.charts import formats
from queueing.monitoring.health_warning import WARNING, HealthWarning
from queueing.record.database_thread import in_thread

from . import overview
from .overview import RecurringView

#: The maximum number of recurring jobs that are read.
_MAX_READ = 200


async def recurring_warnings() -> list[HealthWarning]:
    """Return the warnings about recurring jobs that are late, refused or failing."""
    return await in_thread(_warnings)()


def _warnings() -> list[HealthWarning]:
    rows = list(RecurringJob.objects.filter(paused=False)[:_MAX_READ])
    return [warning for view in overview.views(rows) for warning in _of(view)] if rows else []


def _of(view: RecurringView) -> list[HealthWarning]:
    name, found = view.row.name, []
    if view.row.refusal:
        found.append(("recurring_refused", f"The job of {name} is refused: see its page in the admin."))
    elif view.is_late:
        found.append(("recurring_late", f"{name} is late by {formats.seconds(view.seconds_late)}."))
    if view.is_failing:
        text = f"The last {overview.FAILURES} jobs of {name} failed."
        found.append(("recurring_failing", text))
    return [HealthWarning(WARNING, code, view.queue, text, of="queues") for code, text in found]
