"""Renames and erases owners of jobs. The engine knows owners only as texts. All functions block."""

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import transaction

from queueing import texts
from queueing.conf import get_conf
from queueing.errors import WrongState
from queueing.events import progress
from queueing.limits import weights
from queueing.models import AuditEntry, Job, RecurringJob
from queueing.record.unique_jobs import rename_keys
from queueing.schedule import redis_client, scripts
from queueing.states import UNFINISHED

from . import verbs

logger = logging.getLogger(__name__)

_BATCH_SIZE = 500


def rename_owner(old: str, new: str) -> None:
    """Give all jobs and recurring jobs of `old`, and its weight, to `new`. Call it within a transaction.

    Unfinished jobs stay counted under `old` in Redis until they finish, so that each count is reduced where
    it was raised. If both owners used a request id or have a unique key, the job of `old` loses it.
    """
    RecurringJob.objects.filter(owner=old).update(owner=new)
    jobs = Job.objects.filter(owner=old)
    # Lock in one order: a worker that finishes several of the jobs locks them in the same order.
    list(jobs.filter(state__in=UNFINISHED).order_by("id").select_for_update().values_list("id"))
    used = Job.objects.filter(owner=new).exclude(request_id="").values("request_id")
    jobs.filter(request_id__in=used).update(request_id="")
    rename_keys(jobs, old, new)
    jobs.update(owner=new, share="")  # the share was that of `old`
    weights.rename_owner(old, new)
    transaction.on_commit(lambda: _notify_workers(old, new))


def _notify_workers(old: str, new: str) -> None:
    """Notify the workers, so that events of active jobs go to the new owner."""
    try:
        redis_client.client().publish(scripts.notify_channel(), f"owner:{json.dumps([old, new])}")
    except redis_client.Unavailable as exc:
        logger.warning("workers are not notified of a renamed owner: %s", exc)


def stop_owner(owner: str) -> None:
    """Cancel all unfinished jobs of an owner, and pause the recurring ones.

    Not within a transaction: it notifies workers at once.
    """
    RecurringJob.objects.filter(owner=owner).update(paused=True)
    for job_id in list(Job.objects.filter(owner=owner, state__in=UNFINISHED).values_list("id", flat=True)):
        with suppress(WrongState, Job.DoesNotExist):  # finished in the meantime
            verbs.cancel(job_id)


def erase_owner(owner: str) -> None:
    """Delete the owner's jobs and recurring jobs with their history, and their data in Redis.

    Call it within a transaction.
    """
    RecurringJob.objects.filter(owner=owner).delete()  # first: it submits no job after this
    jobs = Job.objects.filter(owner=owner).order_by("id").select_for_update()
    found = list(jobs.values_list("queue", "id"))
    for start in range(0, len(found), _BATCH_SIZE):
        batch = [job_id for _, job_id in found[start : start + _BATCH_SIZE]]
        Job.objects.filter(id__in=batch).delete()
    weights.erase_owner(owner)
    AuditEntry.objects.filter(action="set_weight", subject=owner).update(subject=texts.ERASED)
    transaction.on_commit(lambda: _delete_from_redis(owner, found))


def _delete_from_redis(owner: str, found: Sequence[tuple[str, UUID]]) -> None:
    """Delete the texts of these jobs. Their claims end first, so that no worker stores more."""
    queues: dict[str, list[str]] = defaultdict(list)
    for queue, job_id in found:
        queues[queue].append(job_id.hex)
    try:
        client = redis_client.client()
        for queue, ids in queues.items():
            for batch in (ids[start : start + _BATCH_SIZE] for start in range(0, len(ids), _BATCH_SIZE)):
                redis_client.run(scripts.remove(queue, batch))
                client.delete(*map(scripts.stream_key, batch), *map(progress.progress_key, batch))
        for queue in get_conf().queues:
            client.zrem(scripts.queue_key(queue, "owner_finish_tags"), owner)
    except redis_client.Unavailable as exc:
        logger.warning("texts of an erased owner stay in Redis until they expire: %s", exc)
