"""Setting rate limits, and reading the reservations made under them."""

from queueing.api import redis

ALICE, BOB, HOME = "s:alice", "s:bob", "192.0.2.1"


def set_limits(settings, max_wait=60, **rules):
    settings.LIMITS = settings.LIMITS | rules
    settings.LIMIT_MAX_WAIT = max_wait


def reserved_times(sender):
    """Return the reserved times of a sender in seconds, sorted, by rule."""
    found = {}
    for key in redis.client().scan_iter(f"{{buddy}}:reservations:{sender}:*"):
        times = sorted(score / 1000 for _, score in redis.client().zrange(key, 0, -1, withscores=True))
        found[key.split(f"{sender}:")[1]] = times
    return found
