"""Free or fail jobs that wait for parents which have been deleted.

When an unfinished job is deleted by the ORM or by SQL, its dependents are not updated and would wait without
end. Their rows show it: such a job counts more unfinished parents than it has. The same is true of a job
whose parent failed in a process that does not know the job's kind. That process leaves the job alone, so that
a process that can call its `on_end` fails it.
"""

import logging
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from queueing.models import Dependency, Job
from queueing.states import UNFINISHED, State, sql_condition

from . import dependencies

logger = logging.getLogger(__name__)

#: Jobs that one call examines.
_BATCH_SIZE = 500

#: `unfinished_parents > 0` uses the index `job_has_parents`, which has few rows.
_WAITS_IN_VAIN = f"""
SELECT child.id FROM queueing_job child
WHERE child.unfinished_parents > 0 AND child.unfinished_parents > (
    SELECT COUNT(*) FROM queueing_dependency link JOIN queueing_job parent ON parent.id = link.parent_id
    WHERE link.job_id = child.id AND parent.{sql_condition(UNFINISHED)})
ORDER BY child.id LIMIT {_BATCH_SIZE}
"""  # noqa: S608 (the states are ours)


class Settled(NamedTuple):
    """What became of jobs whose parents are lost."""

    freed: list[Job]
    """They may run now, and must be added to the schedule."""
    failed: list[Job]
    """The owners must be notified."""


def settle_lost_parents() -> Settled:
    """Free the jobs that waited for the end of deleted jobs; fail those that needed the completion of one."""
    settled = Settled([], [])
    with connection.cursor() as cursor:
        cursor.execute(_WAITS_IN_VAIN)
        ids = [row[0] for row in cursor.fetchall()]
    for job_id in ids:
        try:
            with transaction.atomic():
                _settle(job_id, settled)
        except Exception:  # the end hook of one job does not stop the others
            logger.exception("on_end of job %s raised", job_id)
    return settled


def _settle(job_id: object, settled: Settled) -> None:
    # While the row is locked no parent can end, since its end would write to the row.
    job = Job.objects.select_for_update().filter(id=job_id, state=State.DELAYED).first()
    if job is None:
        return
    links = Dependency.objects.filter(job=job)
    lost = job.unfinished_parents - links.filter(parent__state__in=UNFINISHED).count()
    # A link with any outcome is deleted when its parent is counted as finished.
    waits_for_end = links.filter(any_outcome=True).exclude(parent__in=Job.objects.filter(dependents__job=job))
    if 0 < lost <= waits_for_end.count():
        settled.freed.extend(dependencies.free(waits_for_end))
    elif lost > 0 and dependencies.fail([job], _reason(links)):
        settled.freed.extend(dependencies.give_up([job.pk]))
        settled.failed.append(job)


def _reason(links: QuerySet[Dependency]) -> dict[str, str]:
    if links.filter(any_outcome=False, parent__state__in=(State.FAILED, State.CANCELLED)).exists():
        return dependencies.PARENT_FAILED
    return dependencies.PARENT_DELETED
