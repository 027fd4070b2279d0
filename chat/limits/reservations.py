"""A turn for a message: now, or the first moment at which every limit lets it through.

The library answers yes or no; a message that comes too early is not refused but held, so what is kept
here are the moments themselves, also those to come. Any number of web processes share them.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limits.storage import RedisStorage

from . import store
from .rules import Rule

_SCRIPT = (Path(__file__).parent / "turn.lua").read_text()


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What was reserved."""

    wait: float = 0.0
    """Seconds until it comes."""
    granted: bool = True
    """False when it would have come too late: nothing was reserved."""
    keys: list[str] = field(default_factory=list)
    entry: str = ""

    def give_back(self) -> None:
        """It is not used after all. Those after it keep theirs."""
        if self.granted and self.keys:
            store.ask(self._remove, otherwise=None)

    def _remove(self, storage: RedisStorage) -> None:
        connection: Any = storage.get_connection()
        for key in self.keys:
            connection.zrem(key, self.entry)


def reserve(limits: list[tuple[str, Rule]], *, most_wait: float) -> Turn:
    """The next turn under all `limits`, each the name of who is counted and the rule for them.

    It comes after all those that the first of them already has. Beyond `most_wait` seconds it is not
    granted. Blocks.
    """
    found = [(_key(who, item.key_for()), item, who) for who, rule in limits if who for item in rule]
    if not found:
        return Turn()
    entry, keys = secrets.token_hex(8), [key for key, _, _ in found]
    args: list[str | int] = [entry, round(most_wait * 1000), sum(who == limits[0][0] for _, _, who in found)]
    for _, item, _ in found:
        args += (item.amount, item.get_expiry() * 1000)

    def question(storage: RedisStorage) -> Turn:
        connection: Any = storage.get_connection()
        granted, wait = connection.register_script(_SCRIPT)(keys, args)
        return Turn(wait=wait / 1000, granted=bool(granted), keys=keys, entry=entry)

    return store.ask(question, otherwise=Turn())


def _key(who: str, rule: str) -> str:
    """One script works on all of them, so they share the engine's slot of a cluster."""
    return f"{{buddy}}:turns:{who}:{rule}"
