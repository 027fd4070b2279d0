"""When an owner becomes another one, or is to be forgotten. Synchronous. Who owners are is not known here."""

import json
import logging
from contextlib import suppress

from django.db import transaction

from queueing.conf import get_conf
from queueing.errors import WrongState
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import UNFINISHED

from . import verbs

logger = logging.getLogger(__name__)

_BATCH_SIZE = 500


def rename_owner(old: str, new: str) -> None:
    """Make every job of `old` one of `new`: its events, its text so far and its cancellation are theirs now.

    Within a transaction. What is in line or runs stays charged to `old` in Redis until it ends, so every
    count goes down where it went up. A request id that `new` has used as well is taken off the older job.
    """
    mine = Job.objects.filter(owner=old)
    # In one order: a worker that ends several of them holds some already.
    list(mine.filter(state__in=UNFINISHED).order_by("id").select_for_update().values_list("id"))
    used = Job.objects.filter(owner=new).exclude(request_id="").values("request_id")
    mine.filter(request_id__in=used).update(request_id="")
    mine.update(owner=new)
    transaction.on_commit(lambda: _tell_workers(old, new))


def _tell_workers(old: str, new: str) -> None:
    """Without this message followers would hear of what runs only when they ask the record."""
    try:
        redis_client.client().publish(scripts.notify_channel(), f"owner:{json.dumps([old, new])}")
    except redis_client.Unavailable as exc:
        logger.warning("workers do not hear that an owner is another one now: %s", exc)


def stop_owner(owner: str) -> None:
    """Cancel all that is not over. Not within a transaction: each is told to the workers at once."""
    for job_id in list(Job.objects.filter(owner=owner, state__in=UNFINISHED).values_list("id", flat=True)):
        with suppress(WrongState, Job.DoesNotExist):  # it ended in the meantime
            verbs.cancel(job_id)


def erase_owner(owner: str) -> None:
    """Delete the owner's jobs with their history, and what Redis has of them. Within a transaction."""
    mine = Job.objects.filter(owner=owner)
    ids = [job_id.hex for job_id in mine.values_list("id", flat=True)]
    mine.delete()
    transaction.on_commit(lambda: _forget(owner, ids))


def _forget(owner: str, ids: list[str]) -> None:
    try:
        client = redis_client.client()
        for start in range(0, len(ids), _BATCH_SIZE):
            client.delete(*(scripts.stream_key(job_id) for job_id in ids[start : start + _BATCH_SIZE]))
        for queue in get_conf().queues:
            client.zrem(scripts.queue_key(queue, "owner_finish_tags"), owner)
    except redis_client.Unavailable as exc:
        logger.warning("Redis forgets texts of an erased owner only as they expire: %s", exc)
