"""Limits whose requests are allowed now or refused: API requests and sign-in attempts."""

import time

from asgiref.sync import sync_to_async
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat.errors import LimitReached

from . import in_memory, store, texts
from .rules import Rule, rule


def check(name: str, sender: str, amount: int = 1) -> None:
    """Count `amount` uses of the limit `name` by `sender`, such as one of `requests` or `login`. Blocks.

    `name` is a key of `settings.LIMITS`. `sender` is any text, such as a `client_address`; an empty one is
    not counted. Raises `LimitReached` (`rate_limited`, with the seconds to wait) over the limit. While
    Redis is unavailable, each process counts by itself.
    """
    items = rule(name)
    if not sender or not items:
        return
    wait = store.query(
        lambda storage: _count(storage, items, name, sender, amount),
        otherwise=lambda: in_memory.count([(f"{name}:{sender}", item) for item in items] * amount),
    )
    if wait:
        raise LimitReached("rate_limited", texts.limit_reached(name, wait), wait)


def is_within(name: str, sender: str) -> bool:
    """Count a use of a limit in this process alone, without Redis; return False over the limit."""
    return not sender or in_memory.count([(f"{name}:{sender}", item) for item in rule(name)]) == 0


async def acheck(name: str, sender: str) -> None:
    """Do `check` on the event loop. It takes a thread only if there is something to count."""
    if sender and rule(name):
        await sync_to_async(check)(name, sender)


def _count(storage: RedisStorage, items: Rule, name: str, sender: str, amount: int) -> float:
    """Count `amount` uses; return 0 when they are allowed, else the seconds to wait."""
    limiter = MovingWindowRateLimiter(storage)
    for item in items:
        if not limiter.hit(item, name, sender, cost=amount):
            return max(1.0, limiter.get_window_stats(item, name, sender).reset_time - time.time())
    return 0.0
