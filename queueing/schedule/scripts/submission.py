"""Adding jobs to the schedule, and moving those that no worker has claimed."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from queueing.schedule.redis_client import ScriptCall

from .keys import key, milliseconds, notify_channel, script_keys, unable_keys

#: The limits of a job: the name, the key and the maximum number of active jobs of each.
Limits = Sequence[tuple[str, str, int]]


class ScheduleEntry(NamedTuple):
    """What the schedule stores of a job."""

    id: str
    """32 hex digits."""
    owner: str
    priority: int
    delay: float = 0.0
    """Seconds until the job may run."""
    share: str = ""
    limits: Limits = ()

    @property
    def account(self) -> str:
        """The owner and its share, and the limits of the job, as the scripts know them."""
        return account(self.owner, self.share, self.limits)


def account(owner: str, share: str, limits: Limits = ()) -> str:
    """Return an owner with its share and the limits of a job, in the form in which Redis holds owners."""
    known = f"{owner}\x1e{share}" if share else owner
    return known + "".join(f"\x1d{name}\x1c{key}\x1c{most}" for name, key, most in limits)


def submit(queue: str, entries: Iterable[ScheduleEntry]) -> ScriptCall[int]:
    """Add waiting or delayed jobs. Replies with the number that were new."""
    jobs = [(entry.id, entry.account, entry.priority, milliseconds(entry.delay)) for entry in entries]
    return ScriptCall(
        "submit", [*script_keys(queue), key("idle")], [notify_channel(), queue, json.dumps(jobs)], int
    )


def promote(queue: str, ids: Iterable[str]) -> ScriptCall[int]:
    """Make delayed jobs waiting. Replies with the number of jobs moved."""
    return ScriptCall("promote", script_keys(queue), [notify_channel(), queue, *ids], int)


def postpone(queue: str, job_id: str, delay: float) -> ScriptCall[int]:
    """Let a delayed job become waiting in `delay` seconds. Replies with 1 if it was delayed, else 0."""
    args = [notify_channel(), queue, job_id, milliseconds(delay)]
    return ScriptCall("postpone", script_keys(queue), args, int)


def remove(queue: str, ids: Iterable[str]) -> ScriptCall[list[int]]:
    """Remove jobs in any state. Workers that run one are notified to stop."""
    return ScriptCall("remove", script_keys(queue) + unable_keys(), [notify_channel(), queue, *ids], list)
