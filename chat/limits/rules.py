"""The limits that are set, as the library understands them."""

from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse_many

Rule = tuple[RateLimitItem, ...]


def rule(name: str) -> Rule:
    """What `settings.LIMITS` says about `name`; an empty rule lets everything through."""
    return parse(settings.LIMITS[name])


@lru_cache(maxsize=32)
def parse(text: str) -> Rule:
    """`20/minute;200/hour` and the like; nothing for no limit. Raises `ValueError`."""
    found = tuple(parse_many(text)) if text.strip() else ()
    if any(item.amount < 1 or item.get_expiry() < 1 for item in found):
        raise ValueError(f"a limit in {text!r} lets nothing through")
    return found
