"""The stored answers, in Redis, each until it expires. While Redis is away nothing is found or kept.

{buddy}:answer:<key>         string  {"response", "model"} as JSON
{buddy}:answering:<key>      string  id of the job that answers this right now, as far as known
{buddy}:answers:all          sorted  key -> when it was stored
{buddy}:answers:owner:<who>  sorted  the same, of one owner
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

from queueing.api import redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Answers kept at most, the latest; and characters of one. So it is 80 MB in the worst case.
MOST = 5_000
MOST_CHARACTERS = 16_000
#: Seconds for which it is remembered which job answers: longer than any runs, with its retries.
_ANSWERING = 900
_COUNTS_KEPT = timedelta(days=8)

Count = Literal["hits", "misses", "shared"]


@dataclass(frozen=True)
class Answer:
    """What was said, and by which model."""

    response: str
    model: str

    @property
    def result(self) -> dict[str, Any]:
        """The result of a job that gives this answer again."""
        return asdict(self) | {"cached": True}


def find(key: str) -> tuple[Answer | None, str]:
    """The stored answer, and the id of the job that is answering, if there is one."""
    stored, job_id = _ask(
        lambda client: client.mget(_name("answer", key), _name("answering", key)), (None, None)
    )
    return Answer(**json.loads(stored)) if stored else None, job_id or ""


def answering(key: str, job_id: str) -> None:
    """Remember that this job answers."""
    _ask(lambda client: client.set(_name("answering", key), job_id, ex=_ANSWERING), None)


def keep(key: str, answer: Answer, *, owner: str, thread_id: str) -> None:
    """Store an answer that `owner` got in a thread."""
    if not key or not answer.response or len(answer.response) > MOST_CHARACTERS:
        return
    for_seconds, now = settings.ANSWER_CACHE_SECONDS, time.time()

    def store(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        pipe.set(_name("answer", key), json.dumps(asdict(answer)), ex=for_seconds)
        for index in (_ALL, f"owner:{owner}", f"thread:{thread_id}"):
            pipe.zadd(_index(index), {key: now})
            pipe.zremrangebyscore(_index(index), "-inf", now - for_seconds)
            pipe.expire(_index(index), for_seconds)
        pipe.zcard(_index(_ALL))
        if (too_many := pipe.execute()[-1] - MOST) > 0:
            oldest = [member for member, _ in client.zpopmin(_index(_ALL), too_many)]
            client.delete(*(_name("answer", member) for member in oldest))

    _ask(store, None)


def forget(owner: str) -> None:
    """Remove every answer that the owner got."""
    _forget(f"owner:{owner}")


def forget_thread(thread_id: str) -> None:
    """Remove every answer that came from the thread."""
    _forget(f"thread:{thread_id}")


def _forget(index: str) -> None:
    def remove(client: Any) -> None:
        if keys := client.zrange(_index(index), 0, -1):
            client.delete(*(_name("answer", key) for key in keys))
            client.zrem(_index(_ALL), *keys)
        client.delete(_index(index))

    _ask(remove, None)


def count(what: Count) -> None:
    """One more today."""

    def add(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        pipe.hincrby(_today(), what, 1)
        pipe.expire(_today(), _COUNTS_KEPT)
        pipe.execute()

    _ask(add, None)


def statistics() -> dict[str, Any] | None:
    """Today's (UTC) `hits`, `misses`, `shared` (asked together with another, and answered by its call),
    the `hitRate` of all, and how many answers are `kept`; None while Redis is away."""
    found = _ask(lambda client: (client.hgetall(_today()), client.zcard(_index(_ALL))), None)
    if found is None:
        return None
    counts = {what: int(found[0].get(what, 0)) for what in ("hits", "misses", "shared")}
    asked = sum(counts.values())
    return counts | {"hitRate": round(1 - counts["misses"] / asked, 3) if asked else None, "kept": found[1]}


_ALL = "all"


def _name(kind: str, key: str) -> str:
    """All share the engine's slot of a cluster, so that one call can ask for several."""
    return f"{{buddy}}:{kind}:{key}"


def _index(of: str) -> str:
    return _name("answers", of)


def _today() -> str:
    return _index(f"count:{timezone.now():%Y-%m-%d}")


def _ask(question: Callable[[Any], T], otherwise: T) -> T:
    try:
        return question(redis.client())
    except redis.Unavailable as exc:
        logger.warning("stored answers are out of reach: %s", exc)
        return otherwise
