"""Copies of session rows in Redis, from which a request on the event loop reads its session without a thread.

The database is the record. A copy lasts a few seconds from the time its row was read. So what ends in the
database ends here soon, also if it was ended in SQL, and Redis may lose everything. Code that changes a row
puts a mark in the place of its copy, so that the next request reads the database.

A copy is as useless to who reads Redis as the row is to who reads the database. It is signed, so who writes
to Redis makes no session last.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction

from queueing.api import redis

#: Seconds for which a copy is used. Rights must end within five seconds.
_SECONDS = 3
#: Seconds after its row was read in which a copy may be made.
_FRESH = 1.0
#: Stands in the place of a copy whose row has changed, until each copy of the former row would be too old.
_CHANGED = "changed"
_CHANGED_SECONDS = _SECONDS + 2

_signer = TimestampSigner(salt="copy of a session")


class Row(NamedTuple):
    """What a session is read from: a row of the database or its copy."""

    session_key: str
    """The digest of the key."""
    session_data: str
    expire_date: datetime
    read_at: float | None = None
    """When the row was read, by the monotonic clock; None for a copy."""


async def read(digest: str) -> Row | None:
    """Return the copy of a row; None if there is none, or Redis is unavailable."""
    try:
        (found,) = await redis.arun_commands([("GET", _key(digest))])
        copy = _signer.unsign(found or _CHANGED, max_age=_SECONDS)
    except (*redis.Unavailable, BadSignature):
        return None
    of, end, data = copy.split(" ")
    row = Row(of, data, datetime.fromtimestamp(float(end), UTC))
    return row if of == digest and row.expire_date > datetime.now(UTC) else None


async def keep(row: Row) -> None:
    """Make a copy of a row that was just read, unless there is one, or the row has changed meanwhile."""
    if row.read_at is None or time.monotonic() - row.read_at > _FRESH:
        return
    copy = _signer.sign(f"{row.session_key} {row.expire_date.timestamp()} {row.session_data}")
    with suppress(*redis.Unavailable):
        await redis.arun_commands([("SET", _key(row.session_key), copy, "EX", _SECONDS, "NX")])


def outdate(digests: Iterable[str]) -> None:
    """Say that these rows have changed. Blocks. While Redis is unavailable, their copies get old."""
    marks = [("SET", _key(digest), _CHANGED, "EX", _CHANGED_SECONDS) for digest in digests]
    with suppress(*redis.Unavailable):
        redis.run_commands(marks)


def renew(digest: str, sealed: str, seconds: int) -> None:
    """Keep the new key of a session, which only its former key unseals, under the digest of that. Blocks."""
    with suppress(*redis.Unavailable):
        redis.run_commands([("SET", _renewed(digest), sealed, "EX", seconds)])


def renewed(digest: str) -> str:
    """Return what `renew` keeps; empty if there is nothing, or Redis is unavailable. Blocks."""
    try:
        (found,) = redis.run_commands([("GET", _renewed(digest))])
    except redis.Unavailable:
        return ""
    return str(found or "")


def outdate_changed(*, instance: Any, created: bool = False, **_: Any) -> None:
    """Receive `post_save` and `post_delete` of a session."""
    if not created:
        transaction.on_commit(partial(outdate, [instance.session_key]), robust=True)


def _key(digest: str) -> str:
    return redis.app_key(f"session:{digest}")


def _renewed(digest: str) -> str:
    return redis.app_key(f"renewed:{digest}")
