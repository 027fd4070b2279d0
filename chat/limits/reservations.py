"""Reservations of messages: now, or the first time at which all limits allow the message.

The `limits` library answers yes or no. A message that comes too early is held instead of refused, so the
times themselves are kept here, including those to come. All web processes share them.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from limits import RateLimitItem
from limits.storage import RedisStorage

from . import in_memory, store
from .rules import Rule

_SCRIPT = (Path(__file__).parent / "reserve.lua").read_text()


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The time at which the limits allow a message."""

    wait: float = 0.0
    """Seconds until that time."""
    granted: bool = True
    """False when the wait would be too long; then nothing was reserved."""
    keys: dict[str, RateLimitItem] = field(default_factory=dict)
    """The keys of the limits that count the message."""
    entries: list[str] = field(default_factory=list)

    def count(self, number: int) -> None:
        """Count the message as `number` messages, as far as each limit allows. It is not held for that."""
        if self.granted and self.keys and number > len(self.entries):
            self.entries.extend(secrets.token_hex(8) for _ in range(number - len(self.entries)))
            store.query(self._add, otherwise=lambda: None)

    def cancel(self) -> None:
        """Remove an unused reservation. Later reservations keep their times."""
        if self.granted and self.keys:
            store.query(self._remove, otherwise=lambda: None)

    def _add(self, storage: RedisStorage) -> None:
        connection: Any = storage.get_connection()
        for key, item in self.keys.items():
            if (reserved := connection.zscore(key, self.entries[0])) is not None:
                connection.zadd(key, dict.fromkeys(self.entries[: item.amount], reserved))

    def _remove(self, storage: RedisStorage) -> None:
        connection: Any = storage.get_connection()
        for key in self.keys:
            connection.zrem(key, *self.entries)


def reserve(
    limits: list[tuple[str, Rule]], *, max_wait: float, count_without_redis: bool = False
) -> Reservation:
    """Reserve the next time under all `limits`, pairs of a sender's key and the rule for it. Blocks.

    The time is after all times that the first key has reserved already. It is not granted when it is more
    than `max_wait` seconds away. While Redis is unavailable, everything is granted; with
    `count_without_redis`, this process then counts by itself, and nothing can be cancelled.
    """
    found = [
        (_key(sender, item.key_for()), item, sender) for sender, rule in limits if sender for item in rule
    ]
    if not found:
        return Reservation()
    entry, keys = secrets.token_hex(8), [key for key, _, _ in found]
    counted = {key: item for key, item, _ in found}
    own_keys = sum(sender == limits[0][0] for _, _, sender in found)
    furthest = max(max_wait, settings.LIMIT_MAX_WAIT)
    args: list[str | int] = [entry, round(max_wait * 1000), round(furthest * 1000), own_keys]
    for _, item, _ in found:
        args += (item.amount, item.get_expiry() * 1000)

    def run(storage: RedisStorage) -> Reservation:
        connection: Any = storage.get_connection()
        granted, wait = connection.register_script(_SCRIPT)(keys, args)
        return Reservation(wait=wait / 1000, granted=bool(granted), keys=counted, entries=[entry])

    def in_this_process() -> Reservation:
        wait = in_memory.count([(sender, item) for _, item, sender in found])
        return Reservation(wait=wait, granted=not wait)

    return store.query(run, otherwise=in_this_process if count_without_redis else Reservation)


def _key(sender: str, rule: str) -> str:
    """Return the key of a limit. All keys share the engine's hash slot, since one script uses several."""
    return f"{{buddy}}:reservations:{sender}:{rule}"
