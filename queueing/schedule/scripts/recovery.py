"""Finding claims whose lease has expired, and restoring a Redis that lost its data."""

from collections.abc import Iterable
from itertools import chain

from queueing.conf import get_conf
from queueing.schedule.redis_client import ScriptCall

from .keys import GLOBAL_KEYS, key, milliseconds, notify_channel, script_keys


def expired(queue: str, limit: int = 200) -> ScriptCall[list[tuple[str, str]]]:
    """Find claims whose lease has expired. Replies with (id, token) of each, up to `limit`."""

    def read(reply: list[str]) -> list[tuple[str, str]]:
        return list(zip(reply[::2], reply[1::2], strict=True))

    return ScriptCall("expired", script_keys(queue), [milliseconds(get_conf().lease), limit], read)


def restore_active(queue: str, jobs: Iterable[tuple[str, str, int, str]]) -> ScriptCall[int]:
    """Restore active jobs that Redis lost, each (id, owner, priority, token). Replies with their number."""
    args = [queue, milliseconds(get_conf().lease), *chain.from_iterable(jobs)]
    return ScriptCall("restore_active", script_keys(queue), args, int)


def mark_reconciled(value: str) -> ScriptCall[bool]:
    """Allow claims again, unless Redis lost the `value` of `restoring`, and so its data, once more."""
    keys = [*(key(name) for name in GLOBAL_KEYS), key("restoring")]
    return ScriptCall("mark_reconciled", keys, [notify_channel(), value], bool)
