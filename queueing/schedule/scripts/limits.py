"""What operators change of a queue while it runs."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from queueing.schedule.redis_client import ScriptCall

from .keys import limiter_args, notify_channel, script_keys


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
