"""Claims: taking jobs, keeping them, and giving them back or ending them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from queueing.conf import QueueDef, get_conf
from queueing.schedule.redis_client import ScriptCall

from .keys import key, limiter_args, milliseconds, notify_channel, queue_key, script_keys, unable_keys
from .submission import ScheduleEntry

#: Maximum number of jobs of one claim. It bounds the script's time and its argument lists.
MAX_CLAIM_SIZE = 500
#: Run times of one claim that `finish` sends: Redis keeps no more of one call.
_DURATIONS = 20
#: The last part of the token of a job that runs alone, in place of a number.
_ALONE = "alone"


class Claimed(NamedTuple):
    """A job that a worker has claimed."""

    id: str
    queue: str
    waited: float
    """Seconds between runnable and claimed."""
    limited: bool = False
    """Whether the queue's limiter counted the job as starting."""
    watched: bool = False
    """Whether the provider has failed recently, so that the end of the job is reported at once."""


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


def claim(
    queues: Sequence[QueueDef],
    token: str,
    slots: int,
    *,
    channel: str = "",
    idle: bool = False,
    busy: bool = False,
    able: Mapping[str, Sequence[str]] | None = None,
) -> ScriptCall[Claims]:
    """Claim up to `slots` jobs that may run now, under `token` (`cluster/worker/number`).

    If slots are left and the worker is `idle`, one job may be handed to it later under the same token, on
    `channel`, until its next claim. It is `busy` if it has claims. `able` are the needs that the worker meets
    among those for which jobs are parked: queue -> digests (needs.py).
    """
    args = [
        *_terms(queues, token, slots, channel, listed=idle and 1 + busy),
        json.dumps(able) if able else "",
    ]
    names = [q.name for q in queues]
    keys = [*script_keys(*names), key("idle"), *unable_keys()]
    return ScriptCall("claim", keys, args, _reader(names))


def claim_suspect(queue: QueueDef, token: str, entry: ScheduleEntry) -> ScriptCall[Claims]:
    """Claim this job, which is not in line, under an `alone_token`, if its queue has room for it."""
    args = [*_terms([queue], token, 1), entry.id, entry.account, entry.priority]
    return ScriptCall("claim_suspect", script_keys(queue.name), args, _reader([queue.name]))


def alone_token(worker: str) -> str:
    """Return the token of a worker (`cluster/worker`) that runs one job alone."""
    return f"{worker}/{_ALONE}"


def is_alone(token: str) -> bool:
    """Return whether this is the token of a job that runs alone in its process."""
    return token.endswith(f"/{_ALONE}")


def _terms(
    queues: Sequence[QueueDef], token: str, slots: int, channel: str = "", *, listed: int = 0
) -> list[Any]:
    """Return the terms of a claim, as claim_shared.lua reads them."""
    conf = get_conf()
    args: list[Any] = [token, milliseconds(conf.lease), milliseconds(conf.ageing), min(slots, MAX_CLAIM_SIZE)]
    args += [channel, int(listed)]
    for q in queues:
        args += (q.name, q.priority, q.concurrency, q.global_concurrency)
        args += limiter_args(q.limiter)
        args.append(q.owner_concurrency)
    return args


def _reader(names: Sequence[str]) -> Callable[[list[Any]], Claims]:
    """Return the function that reads the reply to a claim from queues of these names."""

    def read(reply: list[Any]) -> Claims:
        jobs = [
            Claimed(
                job_id,
                names[abs(number) - 1],
                (~waited if waited < 0 else waited) / 1000,
                number < 0,
                waited < 0,
            )
            for job_id, number, waited in zip(*[iter(reply[1:])] * 3, strict=True)
        ]
        return Claims(jobs, None if reply[0] < 0 else reply[0] / 1000)

    return read


def count_late_start(queue: QueueDef, job_id: str, token: str) -> ScriptCall[float]:
    """Count a start from now instead of from its claim. Replies with the seconds to wait before it."""
    args = [*limiter_args(queue.limiter), token, job_id]
    return ScriptCall("count_late_start", script_keys(queue.name), args, lambda reply: int(reply) / 1000)


def renew(queue: str, jobs: Iterable[tuple[str, str]]) -> ScriptCall[list[str]]:
    """Extend the leases of claims (id, token). Replies with the ids whose claim has another token."""
    return ScriptCall(
        "renew", script_keys(queue), [milliseconds(get_conf().lease), *chain.from_iterable(jobs)], list
    )


def retry_later(queue: str, jobs: Iterable[tuple[str, str, float]]) -> ScriptCall[list[str]]:
    """Delay claimed jobs, each (id, token, seconds). Replies with the ids that were refused."""
    args: list[Any] = [notify_channel(), queue]
    for job_id, token, delay in jobs:
        args += (job_id, token, milliseconds(delay))
    return ScriptCall("retry_later", script_keys(queue), args, list)


def release(
    queue: str, jobs: Iterable[tuple[str, str]], *, expired: bool = False, behind: bool = False
) -> ScriptCall[list[str]]:
    """Give claimed jobs back, each (id, token). Replies with the ids that were refused.

    With `expired`, only claims whose lease has expired are given back. With `behind`, the next job of each
    owner may pass.
    """
    args = [notify_channel(), queue, 2 if behind else int(expired), *chain.from_iterable(jobs)]
    return ScriptCall("release", script_keys(queue), args, list)


def park_unable(queue: str, jobs: Iterable[tuple[str, str, str]]) -> ScriptCall[list[str]]:
    """Park claimed jobs that the worker cannot do, each (id, token, what it needs as JSON).

    Replies with the ids that were refused.
    """
    args = [notify_channel(), queue, *chain.from_iterable(jobs)]
    return ScriptCall("park_unable", script_keys(queue) + unable_keys(), args, list)


def finish(queue: QueueDef, outcomes: Iterable[Outcome], *, wake: bool = False) -> ScriptCall[list[str]]:
    """End claims whose outcome is on record. Replies with the ids that were refused.

    With `wake` the workers are notified that there is room. A worker that claims next need not do that.
    """
    # One JSON text: packing each argument costs redis-py more than parsing all of them costs Redis.
    ended: dict[tuple[str, str], tuple[list[str], list[int]]] = {}
    for job_id, token, state, ran in outcomes:
        ids, durations = ended.setdefault((token, state), ([], []))
        ids.append(job_id)
        if len(durations) < _DURATIONS:
            durations.append(milliseconds(ran))
    groups = [(*claim, *group) for claim, group in ended.items()]
    args = [queue.name, *queue.keep, json.dumps(groups), notify_channel() if wake else ""]
    lists = [queue_key(queue.name, name) for name in ("completed", "failed", "durations")]
    return ScriptCall("finish", [*script_keys(queue.name), *lists, key("idle")], args, list)
