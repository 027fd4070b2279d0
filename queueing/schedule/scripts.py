"""The moves of the live schedule, each one Lua script: what goes in, what comes out.

Nothing here touches the database; `record.py` does, and always first.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple
from uuid import uuid4

from queueing.conf import Limiter, QueueDef, get_conf

from .redis_client import ScriptCall
from .replies import LIMITER_MARGIN, Counts, Position, read_counts, read_positions

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
#: Jobs one claim hands out at most: bounds a script's time and its argument lists.
MAX_CLAIM_SIZE = 500


class ScheduleEntry(NamedTuple):
    """A job as the schedule needs it."""

    id: str
    """32 hex digits."""
    owner: str
    priority: int
    delay: float = 0.0
    """Seconds until it may run."""


class Claimed(NamedTuple):
    """A job handed to a worker."""

    id: str
    queue: str
    waited: float
    """Seconds since it could have run."""
    limited: bool = False
    """Whether the queue's limiter counted it as starting."""


class Claims(NamedTuple):
    """What a claim brought."""

    jobs: list[Claimed]
    again_in: float | None
    """Seconds after which a claim may bring more without anybody's doing; None when nothing is known."""


class Outcome(NamedTuple):
    """The end of a claim."""

    id: str
    token: str
    state: str
    """`completed`, `failed` (both are listed), or `gone`."""
    ran: float
    """Seconds the attempt took."""


def key(name: str) -> str:
    """The full name of one of the engine's keys. All share a hash tag, so they share a cluster slot."""
    return f"{{{get_conf().prefix}}}:{name}"


def app_key(name: str) -> str:
    """Return the full name of a key of the application. No key of the engine begins like it."""
    return key(f"app:{name}")


def notify_channel() -> str:
    """Where workers hear `wake:<queue>`, `limits:<queue>`, `cancel:<id>`, `owner:[<old>,<new>]` (pub/sub)."""
    return key("notify")


def worker_channel(worker: str) -> str:
    """Where a worker hears `job:[<token>,<queue>,<id>,<ms>,<limited>]` (pub/sub): it is handed a job."""
    return key(f"notify:{worker}")


def stream_key(job_id: str) -> str:
    """Where the text of an answer in flight is kept."""
    return key(f"text:{job_id}")


def parse_stream(value: str | None) -> tuple[int, str]:
    """Return (run, text) of a value of `stream_key`; (0, "") where nothing is kept."""
    run, _, text = (value or "0").partition("\x1f")
    return int(run), text


def queue_key(queue: str, name: str) -> str:
    """One of a queue's keys."""
    return key(f"q:{queue}:{name}")


def _keys(*queues: str) -> list[str]:
    return _keys_under(get_conf().prefix, queues)


@cache
def _keys_under(prefix: str, queues: tuple[str, ...]) -> list[str]:
    return [key(name) for name in _GLOBAL_KEYS] + [queue_key(q, name) for q in queues for name in _QUEUE_KEYS]


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def submit(queue: str, entries: Iterable[ScheduleEntry]) -> ScriptCall[int]:
    """Put jobs in line or among the delayed; the number that were new."""
    jobs = [(entry.id, entry.owner, entry.priority, _ms(entry.delay)) for entry in entries]
    return ScriptCall(
        "submit", [*_keys(queue), key("idle")], [notify_channel(), queue, json.dumps(jobs)], int
    )


def claim(
    queues: Sequence[QueueDef], token: str, slots: int, *, hears: str = "", idle: bool = False
) -> ScriptCall[Claims]:
    """At most `slots` jobs that may run now, claimed under `token` (`cluster/worker/number`).

    When there are none and the worker is `idle`, it may be handed one under the same token later, on the
    channel it `hears`, until its next claim.
    """
    conf = get_conf()
    args: list[Any] = [token, _ms(conf.lease), _ms(conf.ageing), min(slots, MAX_CLAIM_SIZE), hears, int(idle)]
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
    """Let the limiter count a start from now, not from its claim; the seconds it has to wait first."""
    args = [*_limiter(queue.limiter), token, job_id]
    return ScriptCall("count_late_start", _keys(queue.name), args, lambda reply: int(reply) / 1000)


def finish(queue: QueueDef, outcomes: Iterable[Outcome], *, wake: bool = False) -> ScriptCall[list[str]]:
    """End claims whose outcome is on record; the ids that were refused.

    Who does not claim next what this makes room for asks to `wake` those who may.
    """
    # One JSON text: redis-py spends more on each argument than Redis on reading all of them.
    ended = [(outcome.id, outcome.token, outcome.state, _ms(outcome.ran)) for outcome in outcomes]
    args = [queue.name, *queue.keep, json.dumps(ended), notify_channel() if wake else ""]
    lists = [queue_key(queue.name, name) for name in ("completed", "failed", "durations")]
    return ScriptCall("finish", _keys(queue.name) + lists, args, list)


def retry_later(queue: str, jobs: Iterable[tuple[str, str, float]]) -> ScriptCall[list[str]]:
    """Delay claimed jobs, each (id, token, seconds); the ids that were refused."""
    args: list[Any] = [notify_channel(), queue]
    for job_id, token, delay in jobs:
        args += (job_id, token, _ms(delay))
    return ScriptCall("retry_later", _keys(queue), args, list)


def release(queue: str, jobs: Iterable[tuple[str, str]], *, expired: bool = False) -> ScriptCall[list[str]]:
    """Give claimed jobs back, each (id, token), with `expired` only those past their lease; the refused."""
    args = [notify_channel(), queue, int(expired), *chain.from_iterable(jobs)]
    return ScriptCall("release", _keys(queue), args, list)


def remove(queue: str, ids: Iterable[str]) -> ScriptCall[list[int]]:
    """Take jobs out, whatever they do; workers that run one are told to stop."""
    return ScriptCall("remove", _keys(queue), [notify_channel(), queue, *ids], list)


def promote(queue: str, ids: Iterable[str]) -> ScriptCall[int]:
    """Make delayed jobs wait now; the number moved."""
    return ScriptCall("promote", _keys(queue), [notify_channel(), queue, *ids], int)


def renew(queue: str, jobs: Iterable[tuple[str, str]]) -> ScriptCall[list[str]]:
    """Extend the leases of (id, token); the ids whose claim is not the token's."""
    return ScriptCall("renew", _keys(queue), [_ms(get_conf().lease), *chain.from_iterable(jobs)], list)


def restore_active(queue: str, jobs: Iterable[tuple[str, str, int, str]]) -> ScriptCall[int]:
    """Restore active jobs, each (id, owner, priority, token), that Redis forgot; the number restored."""
    args = [queue, _ms(get_conf().lease), *chain.from_iterable(jobs)]
    return ScriptCall("restore_active", _keys(queue), args, int)


def mark_reconciled(value: str) -> ScriptCall[bool]:
    """Let claims begin again, if Redis still has `value` under `restoring`: it lost nothing since then."""
    keys = [*(key(name) for name in _GLOBAL_KEYS), key("restoring")]
    return ScriptCall("mark_reconciled", keys, [notify_channel(), value], bool)


def expired(queue: str, most: int = 200) -> ScriptCall[list[tuple[str, str]]]:
    """(id, token) of claims past their lease."""

    def read(reply: list[str]) -> list[tuple[str, str]]:
        return list(zip(reply[::2], reply[1::2], strict=True))

    return ScriptCall("expired", _keys(queue), [_ms(get_conf().lease), most], read)


def cooldown(queue: str, seconds: float) -> ScriptCall[float]:
    """Let nothing start for `seconds`; the seconds until the (longest) cooldown's end."""
    return ScriptCall(
        "cooldown", _keys(queue), [notify_channel(), queue, _ms(seconds)], lambda reply: int(reply) / 1000
    )


def set_overrides(queue: str, live: Mapping[str, Any], told: str) -> ScriptCall[bool | None]:
    """Let exactly `live` hold of what operators can change (overrides.py); whether that is news.

    None when it was refused: the queue's `meta` no longer has `told`, so somebody else was quicker.
    """
    fields = {name: str(int(value)) for name, value in live.items() if name != "limiter"}
    if "limiter" in live:
        most, ms = _limiter(live["limiter"])
        fields |= {"limiter_max": str(most), "limiter_ms": str(ms)}
    args = [notify_channel(), queue, json.dumps(fields), told, uuid4().hex]
    return ScriptCall("set_overrides", _keys(queue), args, {1: True, 0: False}.get)


def _limiter(limiter: Limiter | None) -> tuple[int, int]:
    return (limiter.max, _ms(limiter.duration) + LIMITER_MARGIN) if limiter else (0, 0)


def counts(queue: str, owner: str = "", limiter: Limiter | None = None) -> ScriptCall[Counts]:
    """What the queue holds, how much of it is the owner's, and the starts in the limiter's window."""
    return ScriptCall("counts", _keys(queue), [owner, _limiter(limiter)[1]], read_counts)


def positions(queue: str, ids: Sequence[str]) -> ScriptCall[list[Position | None]]:
    """Where jobs stand; None for those Redis does not know."""
    return ScriptCall("positions", _keys(queue), list(ids), read_positions)


class TextChunk(NamedTuple):
    """Something more of an answer in flight."""

    job_id: str
    token: str
    run: int
    text: str
    replaces: bool
    """Whether `text` is the whole text so far, which replaces the stored one."""


def append(chunks: Sequence[TextChunk], *, keep: float) -> ScriptCall[list[int]]:
    """Add to answers in flight; of each: 1 done, 0 the claim is lost, 2 send all of it anew."""
    keys = [*(key(name) for name in _GLOBAL_KEYS), *(stream_key(chunk.job_id) for chunk in chunks)]
    rows = [(*chunk[:4], int(chunk.replaces)) for chunk in chunks]
    return ScriptCall("append", keys, [int(keep), json.dumps(rows, ensure_ascii=False)], list)
