"""Asking under a limit."""

from queueing.api import redis

ALICE, BOB, HOME = "s:alice", "s:bob", "192.0.2.1"


def limit(settings, most_wait=60, **rules):
    settings.LIMITS = settings.LIMITS | rules
    settings.LIMIT_MAX_WAIT = most_wait


def turns_of(who):
    """The moments given out under each of the rules for somebody, in seconds."""
    found = {}
    for key in redis.client().scan_iter(f"{{buddy}}:turns:{who}:*"):
        times = sorted(score / 1000 for _, score in redis.client().zrange(key, 0, -1, withscores=True))
        found[key.split(f"{who}:")[1]] = times
    return found
