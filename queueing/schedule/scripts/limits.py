"""What operators change while the queues run: limits of a queue, weights of owners."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from queueing.schedule.redis_client import ScriptCall

from .keys import key, limiter_args, notify_channel, script_keys
from .submission import account

#: The key of the weights.
WEIGHTS = "weights"


def set_overrides(queue: str, live: Mapping[str, Any], version: str) -> ScriptCall[bool | None]:
    """Set the limits that operators changed to exactly `live`. Replies whether that changed anything.

    Replies None, with nothing changed, if the version in Redis is no longer `version`: a concurrent writer
    was faster.
    """
    fields = {name: str(int(value)) for name, value in live.items() if name != "limiter"}
    if "limiter" in live:
        maximum, window_ms = limiter_args(live["limiter"])
        fields |= {"limiter_max": str(maximum), "limiter_ms": str(window_ms)}
    args = [notify_channel(), queue, json.dumps(fields), version, uuid4().hex]
    return ScriptCall("set_overrides", script_keys(queue), args, {1: True, 0: False}.get)


class Weight(NamedTuple):
    """How many turns an owner, or all who have a share together, get in line for one of others."""

    name: str
    is_share: bool
    weight: int

    @property
    def account(self) -> str:
        """The owner or the share, as the scripts know them."""
        return account("", self.name) if self.is_share else self.name


def set_weights(
    queues: Iterable[str], rows: Iterable[Weight], version: str, *, all_of_them: bool = False
) -> ScriptCall[bool | None]:
    """Set weights in the lines of `queues`; with `all_of_them` all others become 1.

    Replies whether that changed anything; None, with nothing changed, if the version in Redis is no longer
    `version`: a concurrent writer was faster.
    """
    wanted = {row.account: row.weight for row in rows}
    keys = [*script_keys(*queues), key(WEIGHTS)]
    args = [version, uuid4().hex, int(all_of_them), json.dumps(wanted)]
    return ScriptCall("set_weights", keys, args, {1: True, 0: False}.get)
