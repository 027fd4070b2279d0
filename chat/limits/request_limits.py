"""Limits on what is either let through now or refused: requests, signing in."""

import math
import time

from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat.errors import LimitReached

from . import store
from .rules import Rule, rule

_SENTENCES = {
    "requests": "That was too much at once.",
    "login": "There were too many attempts to sign in from here.",
}


def check(name: str, who: str) -> None:
    """Count one more `name` (a key of `settings.LIMITS`, such as `requests` or `login`) of `who`.

    `who` is any text, such as a `client_address`; when it is empty there is nobody to count. Raises
    `LimitReached` (`rate_limited`, with the seconds to wait) when it is more than the setting allows. Blocks.
    """
    items = rule(name)
    if not who or not items:
        return
    wait = store.ask(lambda storage: _wait(storage, items, name, who), otherwise=0.0)
    if wait:
        raise LimitReached("rate_limited", f"{_SENTENCES[name]} Please wait {math.ceil(wait)} s.", wait)


def _wait(storage: RedisStorage, items: Rule, name: str, who: str) -> float:
    """Seconds to wait; 0 when it was let through, and counted."""
    limiter = MovingWindowRateLimiter(storage)
    for item in items:
        if not limiter.hit(item, name, who):
            return max(1.0, limiter.get_window_stats(item, name, who).reset_time - time.time())
    return 0.0
