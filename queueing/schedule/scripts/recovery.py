"""Finding leases that have ended, and restoring a Redis that lost its data."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from queueing.conf import get_conf
from queueing.schedule.redis_client import ScriptCall

from .keys import GLOBAL_KEYS, key, milliseconds, notify_channel, script_keys, unable_keys

#: Jobs up to which counting all jobs of a queue takes Redis less than a few milliseconds.
_SHORT_QUEUE = 2000


class Lease(NamedTuple):
    """A claim's lease that has ended or ends soon. A renewal makes another of it."""

    id: str
    token: str
    ends: int
    """Milliseconds since 1970, by the clock of Redis."""


def ending_leases(queue: str, within: float = 0.0, limit: int = 1000) -> ScriptCall[tuple[int, list[Lease]]]:
    """Find up to `limit` leases that have ended or end `within` seconds, the oldest first.

    Replies with the time of Redis, in the unit of `Lease.ends`, and the leases.
    """

    def read(reply: list[Any]) -> tuple[int, list[Lease]]:
        rows = zip(*[iter(reply[1:])] * 3, strict=True)
        return int(reply[0]), [Lease(job_id, token, int(ends)) for job_id, token, ends in rows]

    args = [milliseconds(get_conf().lease), milliseconds(within), limit, notify_channel(), queue]
    return ScriptCall("ending_leases", script_keys(queue), args, read)


def restore_active(queue: str, jobs: Iterable[tuple[str, str, int, str]]) -> ScriptCall[int]:
    """Restore active jobs that Redis lost, each (id, owner, priority, token). Replies with their number."""
    args = [queue, milliseconds(get_conf().lease), *chain.from_iterable(jobs)]
    return ScriptCall("restore_active", script_keys(queue), args, int)


def mark_reconciled(value: str) -> ScriptCall[bool]:
    """Allow claims again, unless Redis lost the `value` of `restoring`, and so its data, once more."""
    keys = [*(key(name) for name in GLOBAL_KEYS), key("restoring")]
    return ScriptCall("mark_reconciled", keys, [notify_channel(), value], bool)


class Repair(NamedTuple):
    """The reply to a repair."""

    unknown: list[str]
    """The ids of jobs that Redis does not know, or not any longer."""
    miscounted: bool
    """Whether a counter may be wrong."""


def repair(queue: str, ids: Sequence[str]) -> ScriptCall[Repair]:
    """Compare unfinished jobs with what Redis knows; remove what is left of those that it lost in part."""
    keys = [*script_keys(queue), *unable_keys()]
    args = [milliseconds(get_conf().lease), *ids]
    return ScriptCall("repair", keys, args, lambda reply: Repair(reply[1:], bool(reply[0])))


def recount(queue: str, *, everything: bool) -> ScriptCall[int]:
    """Correct the counters of active jobs and, with `everything`, of unfinished ones. Replies how many."""
    args = [queue, int(everything), _SHORT_QUEUE]
    return ScriptCall("recount", script_keys(queue), args, int)
