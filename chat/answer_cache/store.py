"""The stored answers, in Redis, each until it expires. Without Redis nothing is found or stored.

{buddy}:answer:<key>         string  {"response", "model"} as JSON
{buddy}:answers:all          sorted  key -> when it was stored
{buddy}:answers:thread:<id>  sorted  the same, that came from one thread
{buddy}:answers:count:<day>  hash    hits, misses, shared
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

from django.conf import settings
from django.utils import timezone

from queueing.api import JobContext, redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Maximum number of stored answers, of which the newest stay, and of characters of one: 80 MB at worst.
MAX_ANSWERS = 5_000
MAX_CHARACTERS = 16_000
_COUNTS_KEPT = timedelta(days=8)

Count = Literal["hits", "misses", "shared"]


@dataclass(frozen=True)
class Answer:
    """The text of an answer, and the model that gave it."""

    response: str
    model: str

    @property
    def result(self) -> dict[str, Any]:
        """Return the result of a job that gives this answer again."""
        return asdict(self) | {"cached": True}


def find(key: str) -> Answer | None:
    """Return the stored answer or None."""
    stored = _query(lambda client: client.get(_name("answer", key)), None)
    return Answer(**json.loads(stored)) if stored else None


def keep(key: str, answer: Answer, *, ctx: JobContext, thread_id: str) -> None:
    """Store an answer that the run `ctx` got in a thread, unless its job was cancelled or erased."""
    if not key or not answer.response or len(answer.response) > MAX_CHARACTERS:
        return
    for_seconds, now = settings.ANSWER_CACHE_SECONDS, time.time()
    commands: list[redis.Command] = [
        ("SET", _name("answer", key), json.dumps(asdict(answer)), "EX", for_seconds)
    ]
    for index in (_ALL, f"thread:{thread_id}"):
        commands += [
            ("ZADD", _index(index), now, key),
            ("ZREMRANGEBYSCORE", _index(index), "-inf", now - for_seconds),
            ("EXPIRE", _index(index), for_seconds),
        ]

    def store(client: Any) -> None:
        redis.run_while_claimed(ctx, commands)
        if (too_many := client.zcard(_index(_ALL)) - MAX_ANSWERS) > 0:
            oldest = [member for member, _ in client.zpopmin(_index(_ALL), too_many)]
            client.delete(*(_name("answer", member) for member in oldest))

    _query(store, None)


def forget_thread(thread_id: str) -> None:
    """Delete every answer that came from the thread."""
    index = f"thread:{thread_id}"

    def remove(client: Any) -> None:
        if keys := client.zrange(_index(index), 0, -1):
            client.delete(*(_name("answer", key) for key in keys))
            client.zrem(_index(_ALL), *keys)
        client.delete(_index(index))

    _query(remove, None)


def count(what: Count) -> None:
    """Count one more of `what` today."""

    def add(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        pipe.hincrby(_today(), what, 1)
        pipe.expire(_today(), _COUNTS_KEPT)
        pipe.execute()

    _query(add, None)


def statistics() -> dict[str, Any] | None:
    """Return the counts of today (UTC); None without Redis.

    `hits`, `misses`, `shared` (with the answer of another job's call), `hitRate`, and the number of stored
    answers as `kept`.
    """
    found = _query(lambda client: (client.hgetall(_today()), client.zcard(_index(_ALL))), None)
    if found is None:
        return None
    counts = {what: int(found[0].get(what, 0)) for what in ("hits", "misses", "shared")}
    asked = sum(counts.values())
    return counts | {"hitRate": round(1 - counts["misses"] / asked, 3) if asked else None, "kept": found[1]}


_ALL = "all"


def _name(kind: str, key: str) -> str:
    """Return a key in the engine's hash slot: on a cluster one command can read several of them."""
    return f"{{buddy}}:{kind}:{key}"


def _index(of: str) -> str:
    return _name("answers", of)


def _today() -> str:
    return _index(f"count:{timezone.now():%Y-%m-%d}")


def _query(run: Callable[[Any], T], otherwise: T) -> T:
    """Return `run(client)`, or `otherwise` without Redis."""
    try:
        return run(redis.client())
    except redis.Unavailable as exc:
        logger.warning("stored answers are unavailable: %s", exc)
        return otherwise
