"""The absence of the database, which no row can record: since when it is, and which channels have told of it.

Redis keeps it for all processes, and this process for itself, since Redis may be unavailable as well. When
the database is back, it becomes a row, and its end is sent as that of any alert.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from queueing.api import monitoring, redis

from . import texts
from .channels import Message
from .models import Alert
from .record import AGAIN, CALM

CODE = "database"
#: Seconds after which Redis forgets an absence whose end no process has seen.
_FORGET = 7 * 24 * 3600


@dataclass(frozen=True)
class Outage:
    """A time without the database."""

    since: datetime
    seen_at: datetime
    """When it was last seen."""
    told: list[str] = field(default_factory=list)
    """The channels that have told that it began."""

    def message(self) -> Message:
        """Return what the channels tell."""
        return Message(
            id=f"{CODE}-{int(self.since.timestamp())}-began",
            code=CODE,
            queue="",
            level=monitoring.CRITICAL,
            text=texts.DATABASE,
            since=self.since,
            over_at=None,
        )


class Memory:
    """What is known of the outage: by all processes, or by this one while Redis has lost it or is down.

    Looks of several processes overlap while the database is silent. So each fact is a field of its own, which
    no process overwrites with what it knew before.
    """

    def __init__(self) -> None:
        self._own: Outage | None = None

    async def load(self, now: datetime) -> Outage | None:
        """Return the outage that lasts, or whose end is not recorded yet."""
        with suppress(*redis.Unavailable):
            if found := _read(await redis.aclient().hgetall(_key())):
                return found
        # An older one of this process may have ended while others looked.
        return self._own if self._own and now - self._own.seen_at < CALM else None

    async def seen(self, now: datetime) -> Outage:
        """Note that the database is unavailable now. Return the outage."""
        own = await self.load(now) or Outage(now, now)
        self._own = replace(own, seen_at=now)
        with suppress(*redis.Unavailable):
            await redis.aclient().hsetnx(_key(), "since", own.since.isoformat())
            await redis.aclient().hset(_key(), "seen_at", now.isoformat())
            await redis.aclient().expire(_key(), _FORGET)
            await self.told(own, *own.told)
            self._own = _read(await redis.aclient().hgetall(_key())) or self._own
        return self._own

    async def told(self, outage: Outage, *channels: str) -> None:
        """Note that channels have told of an outage."""
        if self._own:
            self._own = replace(self._own, told=sorted({*self._own.told, *channels}))
        with suppress(*redis.Unavailable):
            for name in channels:
                await redis.aclient().hset(_key(), _told_by(outage.since, name), "1")

    async def forget(self) -> None:
        """Forget the outage: its end is recorded."""
        self._own = None
        with suppress(*redis.Unavailable):
            await redis.aclient().delete(_key())


def _read(kept: dict[str, str]) -> Outage | None:
    if not ("since" in kept and "seen_at" in kept):
        return None
    since, seen_at = (datetime.fromisoformat(kept[name]) for name in ("since", "seen_at"))
    told = _told_by(since)
    return Outage(since, seen_at, [name.removeprefix(told) for name in kept if name.startswith(told)])


def _told_by(since: datetime, channel: str = "") -> str:
    """Return the field that says that a channel has told, or what the names of these fields begin with.

    It names the outage, since a slow process may write it when another one has already forgotten the outage.
    """
    return f"told:{since.isoformat()}:{channel}"


async def may_send() -> bool:
    """Return whether no other process sends now, or has failed to just before. Without Redis, all send."""
    try:
        return bool(await redis.aclient().set(_key("claim"), 1, nx=True, ex=int(AGAIN.total_seconds())))
    except redis.Unavailable:
        return True


def record_outage(outage: Outage) -> Alert:
    """Return the row of an outage, made or renewed. The database is back. Blocks."""
    # Without Redis several processes come, each with its own view of the same time.
    row = Alert.objects.filter(code=CODE, seen_at__gte=outage.since).first()
    if row is None:
        fields = {"level": monitoring.CRITICAL, "text": texts.DATABASE, "since": outage.since}
        return Alert.objects.create(code=CODE, seen_at=outage.seen_at, told=outage.told, **fields)
    if row.over_at is None:
        row.seen_at = max(row.seen_at, outage.seen_at)
        row.told = sorted({*row.told, *outage.told})
        row.save(update_fields=["seen_at", "told"])
    return row


def _key(of: str = "") -> str:
    return redis.app_key(":".join(filter(None, ("alerts:outage", of))))
