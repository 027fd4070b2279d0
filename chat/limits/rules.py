"""The configured limits, parsed by the `limits` library."""

from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse_many

Rule = tuple[RateLimitItem, ...]


def rule(name: str) -> Rule:
    """Return the rule `name` of `settings.LIMITS`; an empty rule allows everything."""
    return parse(settings.LIMITS[name])


@lru_cache(maxsize=32)
def parse(text: str) -> Rule:
    """Parse a rule such as `20/minute;200/hour`; empty text means no limit. Raises `ValueError`."""
    found = tuple(parse_many(text)) if text.strip() else ()
    if any(item.amount < 1 or item.get_expiry() < 1 for item in found):
        raise ValueError(f"a limit in {text!r} allows nothing")
    return found
