"""Breakers: learn from the ends of runs whether a provider answers, and when the next job may try it."""

import json
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from queueing.conf import get_conf
from queueing.schedule.redis_client import ScriptCall

from .keys import key, milliseconds, notify_channel, script_keys


class ProviderEnd(NamedTuple):
    """The end of a run, as far as it concerns the provider."""

    job_id: str
    cause: str
    """`ok`, `outage`, `maybe` (an outage, or the job's own fault) or `cooldown`."""
    wait: float = 0.0
    """Seconds that the provider asked for."""
    is_last: bool = False
    """Whether the job has no attempt left."""


class Fault(IntEnum):
    """The cause of a failure, which decides which jobs wait."""

    OWN = 0
    """The job's own: its attempt counts."""
    UNKNOWN = 1
    """Perhaps the provider's: this job waits, and no other."""
    PROVIDER = 2
    """The provider's: all its jobs wait."""
    PROVIDER_AGAIN = 3
    """The same, and the job lets others pass: it was the one that tried the provider."""


class Verdict(NamedTuple):
    """The decision after a failure."""

    fault: Fault
    wait: float
    """Seconds until the next try."""
    give_back: int
    """Attempts that the job has spent before, and that do not count."""
    lasts: float
    """Seconds since the failures began, which the job may wait for up to its queue's patience."""


class BreakerState(NamedTuple):
    """The state of a breaker."""

    cause: str
    """`outage` or `cooldown` while it is open, empty while it is closed."""
    lasts: float
    """Seconds since it opened."""
    next_try: float
    """Seconds until the next probe."""


def report(
    provider: str,
    queues: Iterable[str],
    ends: Sequence[ProviderEnd],
    *,
    good: Sequence[tuple[float, int]] = (),
) -> ScriptCall[list[Verdict]]:
    """Take in the `ends` of jobs, in order. Replies with a verdict for each.

    `queues` are those that wait while the provider's breaker is open. `good` are the successes that were not
    reported before: seconds ago, and their number.
    """
    names = list(queues)
    rows = [(end.job_id, end.cause, milliseconds(end.wait), int(end.is_last)) for end in ends]
    wait = milliseconds(get_conf().first_probe)
    keys = script_keys(*names)
    before = [(milliseconds(seconds), number) for seconds, number in good]
    args = [notify_channel(), provider, wait, json.dumps(before), json.dumps(rows), *names]

    def read(reply: list[int]) -> list[Verdict]:
        rows = zip(*[iter(reply)] * 4, strict=True)
        return [Verdict(Fault(fault), wait / 1000, n, lasts / 1000) for fault, wait, n, lasts in rows]

    return ScriptCall("breaker", [*keys[:4], _breaker_key(provider), *keys[4:]], args, read)


def admit(provider: str, caller: str) -> ScriptCall[float]:
    """Find out whether a call may go to the provider.

    Replies below 0 if so, 0 if its end must be reported, and else the seconds until the next call may.
    """
    keys = [*script_keys(), _breaker_key(provider)]
    return ScriptCall("admit", keys, [caller], lambda reply: int(reply) / 1000)


def breaker_state(provider: str) -> ScriptCall[BreakerState]:
    """Read how the provider's breaker stands."""

    def read(reply: list[Any]) -> BreakerState:
        cause, lasts, next_try = reply
        return BreakerState(cause, lasts / 1000, next_try / 1000)

    return ScriptCall("breaker_state", [*script_keys(), _breaker_key(provider)], [], read)


def _breaker_key(provider: str) -> str:
    return key(f"breaker:{provider}")
