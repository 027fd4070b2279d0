"""The absence of the database, which no row can record: since when it is, and which channels have told of it.

Redis keeps it for all processes, and this process for itself, since Redis may be unavailable as well. When
the database is back, it becomes a row, and its end is sent as that of any alert.
"""

import json
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

    def seen(self, now: datetime) -> "Outage":
        """Return it as seen now."""
        return replace(self, seen_at=now)

    def with_told(self, channels: list[str]) -> "Outage":
        """Return it as told by these channels."""
        return replace(self, told=channels)

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
    """What is known of the outage: by all processes, or by this one while Redis has lost it or is down."""

    def __init__(self) -> None:
        self._own: Outage | None = None

    async def load(self, now: datetime) -> Outage | None:
        """Return the outage that lasts, or whose end is not recorded yet."""
        try:
            if kept := await redis.aclient().get(_key()):
                since, seen_at, told = json.loads(kept)
                return Outage(datetime.fromisoformat(since), datetime.fromisoformat(seen_at), told)
        except redis.Unavailable:
            pass
        # An older one of this process may have ended while others looked.
        return self._own if self._own and now - self._own.seen_at < CALM else None

    async def save(self, outage: Outage | None) -> None:
        """Keep an outage; None forgets it."""
        self._own = outage
        try:
            if outage is None:
                await redis.aclient().delete(_key())
            else:
                fields = [outage.since.isoformat(), outage.seen_at.isoformat(), outage.told]
                await redis.aclient().set(_key(), json.dumps(fields), ex=_FORGET)
        except redis.Unavailable:
            pass


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
