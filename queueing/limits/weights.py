"""Weights: how many turns in line owners get for one turn of others, for example by their plan.

on record   `OwnerWeight`: a row for each weight other than 1. It is in force, also after Redis lost its data
in Redis    the hash `weights`, and the mark `weighted` in the `meta` of each queue. Without weights no queue
            has the mark, and its line costs nothing more

A weight counts for jobs that are put in line from then on. Optimistic locking as in live_limits.py: a writer
reads the version in Redis first and is refused if it changed meanwhile.
"""

import logging
from collections.abc import Iterable

from django.db import transaction

from queueing.conf import get_conf
from queueing.errors import BadValue
from queueing.models import OwnerWeight
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts

logger = logging.getLogger(__name__)

MAX_WEIGHT = 16
#: The length of the names of owners and shares.
_MAX_NAME = 64


def set_weight(name: str, weight: int, *, share: bool = False) -> None:
    """Give the owner, or all who have the `share` together, this many turns in line for one of others.

    `weight` is 1 (the default of all) to 16. Jobs that are in line keep their places. Raise `BadValue`.
    """
    check(name, weight)
    with transaction.atomic():
        if weight == 1:
            OwnerWeight.objects.filter(name=name, is_share=share).delete()
        else:
            OwnerWeight.objects.update_or_create(name=name, is_share=share, defaults={"weight": weight})
        transaction.on_commit(lambda: _apply([(name, share)]))


def check(name: str, weight: int) -> None:
    """Raise `BadValue` for a wrong name or weight."""
    if not isinstance(name, str) or not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise BadValue("name", f"expected 1 to {_MAX_NAME} printable characters")
    if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= MAX_WEIGHT:
        raise BadValue("weight", f"expected a whole number from 1 to {MAX_WEIGHT}, not {weight!r}")


def get_weight(name: str, *, share: bool = False) -> int:
    """Return the weight of an owner or a share."""
    rows = OwnerWeight.objects.filter(name=name, is_share=share)
    return rows.values_list("weight", flat=True).first() or 1


def rename_owner(old: str, new: str) -> None:
    """Give the weight of `old` to `new`, unless that has one of its own. Call it within a transaction."""
    rows = OwnerWeight.objects.filter(name=old, is_share=False)
    if OwnerWeight.objects.filter(name=new, is_share=False).exists():
        changed = rows.delete()[0]
    else:
        changed = rows.update(name=new)
    if changed:
        transaction.on_commit(lambda: _apply([(old, False), (new, False)]))


def erase_owner(owner: str) -> None:
    """Forget the weight of an owner. Call it within a transaction."""
    if OwnerWeight.objects.filter(name=owner, is_share=False).delete()[0]:
        transaction.on_commit(lambda: _apply([(owner, False)]))


def _apply(names: Iterable[tuple[str, bool]]) -> None:
    """Copy these weights from the record to Redis. If it is unavailable, reconciliation does so later."""
    try:
        while True:
            version = redis_client.client().hget(scripts.key(scripts.WEIGHTS), "") or ""
            rows = [scripts.Weight(name, share, get_weight(name, share=share)) for name, share in names]
            if redis_client.run(scripts.set_weights(get_conf().queues, rows, version)) is not None:
                return
    except redis_client.Unavailable as exc:
        logger.warning("Redis is unavailable (%s); the weights apply when it is available again", exc)


async def sync_all(database: DatabaseThread) -> None:
    """Make the weights in Redis those of the record, for writers that could not reach it and after a loss.

    If another writer changes them meanwhile, nothing is done: what was read here may be older.
    """
    client = redis_client.aclient()
    known = await client.hgetall(scripts.key(scripts.WEIGHTS))
    version = known.pop("", "")
    rows = await database.run_sync(_on_record)
    if known == {row.account: str(row.weight) for row in rows} and (not rows or await _all_are_marked()):
        return
    if await redis_client.arun(scripts.set_weights(get_conf().queues, rows, version, all_of_them=True)):
        logger.warning("copied the weights of owners to Redis again")


def _on_record() -> list[scripts.Weight]:
    return [scripts.Weight(*row) for row in OwnerWeight.objects.values_list("name", "is_share", "weight")]


async def _all_are_marked() -> bool:
    client = redis_client.aclient()
    metas = [scripts.queue_key(queue, "meta") for queue in get_conf().queues]
    return all([await client.hexists(meta, "weighted") for meta in metas])
