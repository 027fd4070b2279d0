"""End the wait of jobs whose provider does not answer for longer than their queue's patience.

Jobs that try the provider end by themselves. These here wait in line behind them.
"""

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from queueing import texts
from queueing.conf import QueueDef, get_conf
from queueing.models import Job
from queueing.record import not_started
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts
from queueing.states import UNFINISHED, State, sql_condition
from queueing.values.ids import first_id_at

from .forget import forget

logger = logging.getLogger(__name__)

#: Jobs of one queue that a call ends.
_BATCH_SIZE = 200


async def end_long_waits(database: DatabaseThread) -> None:
    """Fail the jobs in line that have waited for an unavailable provider for too long."""
    for queue in get_conf().queues.values():
        if not queue.provider:
            continue
        breaker = await redis_client.arun(scripts.breaker_state(queue.breaker))
        if breaker.cause != "outage" or breaker.lasts <= queue.patience:
            continue
        if ended := await database.run_sync(fail_waiting, queue):
            logger.warning("%s: %d jobs waited too long for the provider", queue.name, len(ended))
            await forget(ended)


def fail_waiting(queue: QueueDef) -> list[Job]:
    """Fail the waiting jobs that were submitted before the queue's patience, and return them."""
    oldest = first_id_at(timezone.now() - timedelta(seconds=queue.patience))
    rows = Job.objects.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the condition of an index)
    rows = rows.filter(queue=queue.name, state=State.WAITING, id__lt=oldest).order_by("id")
    reason = {"error_code": "provider_down", "error": texts.PROVIDER_DOWN}
    return [job for job in rows[:_BATCH_SIZE] if not_started.fail(job, reason, Q(state=State.WAITING))]
