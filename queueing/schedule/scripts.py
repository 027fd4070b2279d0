"""Describe each move of the schedule: the Lua script, its arguments, and how its reply is read.

Nothing here touches the database. The record is written first, by `queueing.record`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple
from uuid import uuid4

from queueing.conf import Limiter, QueueDef, get_conf

from .redis_client import ScriptCall
from .replies import LIMITER_MARGIN_MS, Counts, Position, read_counts, read_positions

_GLOBAL_KEYS = ("jobs", "claims", "running", "reconciled")
_QUEUE_KEYS = (
    "waiting",
    "delayed",
    "active",
    "parked",
    "owner_finish_tags",
    "owner_unfinished",
    "owner_active",
    "limiter_starts",
    "meta",
)
#: Maximum number of jobs of one claim. It bounds the script's time and its argument lists.
MAX_CLAIM_SIZE = 500


class ScheduleEntry(NamedTuple):
    """What the schedule stores of a job."""

    id: str
    """32 hex digits."""
    owner: str
    priority: int
    delay: float = 0.0
    """Seconds until the job may run."""


class Claimed(NamedTuple):
    """A job that a worker has claimed."""

    id: str
    queue: str
    waited: float
    """Seconds between runnable and claimed."""
    limited: bool = False
    """Whether the queue's limiter counted the job as starting."""


class Claims(NamedTuple):
    """The reply to a claim."""

    jobs: list[Claimed]
    again_in: float | None
    """Seconds after which another claim may bring more jobs without a submission; None if unknown."""


class Outcome(NamedTuple):
    """The end of a claim."""

    id: str
    token: str
    state: str
    """`completed` or `failed`, which Redis lists, or `gone`."""
    ran: float
    """Seconds that the attempt took."""


def key(name: str) -> str:
    """Return the full name of one of the engine's keys. All have one hash tag, and so one cluster slot."""
    return f"{{{get_conf().prefix}}}:{name}"


def app_key(name: str) -> str:
    """Return the full name of a key of the application. The engine has no keys of that prefix."""
    return key(f"app:{name}")


def notify_channel() -> str:
    """Return the pub/sub channel of all workers.

    Messages: `wake:<queue>`, `limits:<queue>`, `cancel:<id>` and `owner:[<old>,<new>]`.
    """
    return key("notify")


def worker_channel(worker: str) -> str:
    """Return the pub/sub channel of one worker.

    The message `job:[<token>,<queue>,<id>,<ms>,<limited>]` hands the worker a job.
    """
    return key(f"notify:{worker}")


def stream_key(job_id: str) -> str:
    """Return the key of the text that a running job has streamed so far."""
    return key(f"text:{job_id}")


def parse_stream(value: str | None) -> tuple[int, str]:
    """Return (run, text) of the value of a `stream_key`, or (0, "") if there is none."""
    run, _, text = (value or "0").partition("\x1f")
    return int(run), text


def queue_key(queue: str, name: str) -> str:
    """Return the full name of one of a queue's keys."""
    return key(f"q:{queue}:{name}")


def _keys(*queues: str) -> list[str]:
    return _keys_under(get_conf().prefix, queues)


@cache
def _keys_under(prefix: str, queues: tuple[str, ...]) -> list[str]:
    return [key(name) for name in _GLOBAL_KEYS] + [queue_key(q, name) for q in queues for name in _QUEUE_KEYS]


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def submit(queue: str, entries: Iterable[ScheduleEntry]) -> ScriptCall[int]:
    """Add waiting or delayed jobs. Replies with the number that were new."""
    jobs = [(entry.id, entry.owner, entry.priority, _ms(entry.delay)) for entry in entries]
    return ScriptCall(
        "submit", [*_keys(queue), key("idle")], [notify_channel(), queue, json.dumps(jobs)], int
    )


def claim(
    queues: Sequence[QueueDef], token: str, slots: int, *, channel: str = "", idle: bool = False
) -> ScriptCall[Claims]:
    """Claim up to `slots` jobs that may run now, under `token` (`cluster/worker/number`).

    If there are none and the worker is `idle`, one job may be handed to it later under the same token, on
    `channel`, until its next claim.
    """
    conf = get_conf()
    args: list[Any] = [token, _ms(conf.lease), _ms(conf.ageing), min(slots, MAX_CLAIM_SIZE)]
    args += [channel, int(idle)]
    for q in queues:
        args += (q.name, q.priority, q.concurrency, q.global_concurrency)
        args += _limiter(q.limiter)
        args.append(q.owner_concurrency)
    names = [q.name for q in queues]

    def read(reply: list[Any]) -> Claims:
        jobs = [
            Claimed(job_id, names[abs(number) - 1], waited / 1000, number < 0)
            for job_id, number, waited in zip(*[iter(reply[1:])] * 3, strict=True)
        ]
        return Claims(jobs, None if reply[0] < 0 else reply[0] / 1000)

    return ScriptCall("claim", [*_keys(*names), key("idle")], args, read)


def count_late_start(queue: QueueDef, job_id: str, token: str) -> ScriptCall[float]:
    """Count a start from now instead of from its claim. Replies with the seconds to wait before it."""
    args = [*_limiter(queue.limiter), token, job_id]
    return ScriptCall("count_late_start", _keys(queue.name), args, lambda reply: int(reply) / 1000)


def finish(queue: QueueDef, outcomes: Iterable[Outcome], *, wake: bool = False) -> ScriptCall[list[str]]:
    """End claims whose outcome is on record. Replies with the ids that were refused.

    With `wake` the workers are notified that there is room. A worker that claims next need not do that.
    """
    # One JSON text: packing each argument costs redis-py more than parsing all of them costs Redis.
    ended = [(outcome.id, outcome.token, outcome.state, _ms(outcome.ran)) for outcome in outcomes]
    args = [queue.name, *queue.keep, json.dumps(ended), notify_channel() if wake else ""]
    lists = [queue_key(queue.name, name) for name in ("completed", "failed", "durations")]
    return ScriptCall("finish", _keys(queue.name) + lists, args, list)


def retry_later(queue: str, jobs: Iterable[tuple[str, str, float]]) -> ScriptCall[list[str]]:
    """Delay claimed jobs, each (id, token, seconds). Replies with the ids that were refused."""
    args: list[Any] = [notify_channel(), queue]
    for job_id, token, delay in jobs:
        args += (job_id, token, _ms(delay))
    return ScriptCall("retry_later", _keys(queue), args, list)


def release(queue: str, jobs: Iterable[tuple[str, str]], *, expired: bool = False) -> ScriptCall[list[str]]:
    """Give claimed jobs back, each (id, token). Replies with the ids that were refused.

    With `expired`, only claims whose lease has expired are given back.
    """
    args = [notify_channel(), queue, int(expired), *chain.from_iterable(jobs)]
    return ScriptCall("release", _keys(queue), args, list)


def remove(queue: str, ids: Iterable[str]) -> ScriptCall[list[int]]:
    """Remove jobs in any state. Workers that run one are notified to stop."""
    return ScriptCall("remove", _keys(queue), [notify_channel(), queue, *ids], list)


def promote(queue: str, ids: Iterable[str]) -> ScriptCall[int]:
    """Make delayed jobs waiting. Replies with the number of jobs moved."""
    return ScriptCall("promote", _keys(queue), [notify_channel(), queue, *ids], int)


def renew(queue: str, jobs: Iterable[tuple[str, str]]) -> ScriptCall[list[str]]:
    """Extend the leases of claims (id, token). Replies with the ids whose claim has another token."""
    return ScriptCall("renew", _keys(queue), [_ms(get_conf().lease), *chain.from_iterable(jobs)], list)


def restore_active(queue: str, jobs: Iterable[tuple[str, str, int, str]]) -> ScriptCall[int]:
    """Restore active jobs that Redis lost, each (id, owner, priority, token). Replies with their number."""
    args = [queue, _ms(get_conf().lease), *chain.from_iterable(jobs)]
    return ScriptCall("restore_active", _keys(queue), args, int)


def mark_reconciled(value: str) -> ScriptCall[bool]:
    """Allow claims again, unless Redis lost the `value` of `restoring`, and so its data, once more."""
    keys = [*(key(name) for name in _GLOBAL_KEYS), key("restoring")]
    return ScriptCall("mark_reconciled", keys, [notify_channel(), value], bool)


def expired(queue: str, limit: int = 200) -> ScriptCall[list[tuple[str, str]]]:
    """Find claims whose lease has expired. Replies with (id, token) of each, up to `limit`."""

    def read(reply: list[str]) -> list[tuple[str, str]]:
        return list(zip(reply[::2], reply[1::2], strict=True))

    return ScriptCall("expired", _keys(queue), [_ms(get_conf().lease), limit], read)


def cooldown(queue: str, seconds: float) -> ScriptCall[float]:
    """Start nothing for `seconds`. Replies with the seconds until the end of the longest cooldown."""
    return ScriptCall(
        "cooldown", _keys(queue), [notify_channel(), queue, _ms(seconds)], lambda reply: int(reply) / 1000
    )


def set_overrides(queue: str, live: Mapping[str, Any], version: str) -> ScriptCall[bool | None]:
    """Set the limits that operators changed to exactly `live`. Replies whether that changed anything.

    Replies None, with nothing changed, if the version in Redis is no longer `version`: a concurrent writer
    was faster.
    """
    fields = {name: str(int(value)) for name, value in live.items() if name != "limiter"}
    if "limiter" in live:
        maximum, window_ms = _limiter(live["limiter"])
        fields |= {"limiter_max": str(maximum), "limiter_ms": str(window_ms)}
    args = [notify_channel(), queue, json.dumps(fields), version, uuid4().hex]
    return ScriptCall("set_overrides", _keys(queue), args, {1: True, 0: False}.get)


def _limiter(limiter: Limiter | None) -> tuple[int, int]:
    return (limiter.max, _ms(limiter.duration) + LIMITER_MARGIN_MS) if limiter else (0, 0)


def counts(queue: str, owner: str = "", limiter: Limiter | None = None) -> ScriptCall[Counts]:
    """Count the queue's jobs, those of `owner`, and the starts in the limiter's window."""
    return ScriptCall("counts", _keys(queue), [owner, _limiter(limiter)[1]], read_counts)


def positions(queue: str, ids: Sequence[str]) -> ScriptCall[list[Position | None]]:
    """Find where jobs are in the schedule. Replies with None for each unknown job."""
    return ScriptCall("positions", _keys(queue), list(ids), read_positions)


class TextChunk(NamedTuple):
    """Text to add to what a running job has streamed."""

    job_id: str
    token: str
    run: int
    text: str
    replaces: bool
    """Whether `text` is the whole text so far, which replaces the stored one."""


def append(chunks: Sequence[TextChunk], *, keep: float) -> ScriptCall[list[int]]:
    """Store streamed text for `keep` seconds.

    Replies with a number for each chunk: 1 stored, 0 the claim is lost, 2 the whole text must be sent again.
    """
    keys = [*(key(name) for name in _GLOBAL_KEYS), *(stream_key(chunk.job_id) for chunk in chunks)]
    rows = [(*chunk[:4], int(chunk.replaces)) for chunk in chunks]
    return ScriptCall("append", keys, [int(keep), json.dumps(rows, ensure_ascii=False)], list)
