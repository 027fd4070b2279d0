"""Redis: reachable, its version and settings, what its user may do, and the way of the events."""

import asyncio
from collections.abc import Iterator

from django.core import checks
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from buddy.health import channel_layer_state
from queueing.api import redis

from .configuration import findings_of
from .findings import OK, PROBLEM, Finding, one_line

ADVICE = "Is the server of REDIS_URL running, and do address and password fit? docs/troubleshooting.md"
_ACL_ADVICE = (
    "Give the user of REDIS_URL its keys and channels: ACL SETUSER … ~{buddy}:* &{buddy}:* &buddy* +@all "
    "-@admin -@dangerous +info (docs/deploy.md)"
)
#: Seconds for an event to come back.
_EVENT_TIMEOUT = 5.0


def examine() -> Iterator[Finding]:
    """Yield what is to say about Redis. Raise `ConnectionError` if it is unreachable."""
    try:
        redis.client().ping()
    except AuthenticationError as exc:
        yield Finding(PROBLEM, one_line(exc), "Correct the user and the password in REDIS_URL.")
        return
    yield _server()
    if refused := _refused():
        yield Finding(PROBLEM, f"its user may not do what the queues need: {one_line(refused)}", _ACL_ADVICE)
        return
    yield from _events()
    usual = {(message.id, message.msg) for message in checks.run_checks(tags=["queueing"])}
    found = checks.run_checks(tags=["queueing"], include_deployment_checks=True)
    yield from findings_of(message for message in found if (message.id, message.msg) not in usual)


def _server() -> Finding:
    try:
        info = redis.client().info()
    except ResponseError:
        return Finding(OK, "it answers, and does not tell its version")
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    memory = info.get("used_memory", 0) / 2**20
    most = f" of {info['maxmemory'] / 2**20:.0f}" if info.get("maxmemory") else ""
    return Finding(
        OK, f"{name} {version}, {memory:.0f}{most} MB, maxmemory-policy {info.get('maxmemory_policy')}"
    )


def _refused() -> RedisError | None:
    """Return the refusal of what the queues do: scripts, keys, channels."""
    key = redis.app_key("doctor")
    try:
        redis.client().eval("return redis.call('SET', KEYS[1], '1', 'EX', '10')", 1, key)
        redis.client().delete(key)
        redis.client().publish(key, "")
    except (NoPermissionError, ResponseError) as exc:
        return exc
    return None


def _events() -> Iterator[Finding]:
    """Yield whether a message of one process would reach another."""
    try:
        asyncio.run(asyncio.wait_for(channel_layer_state(), _EVENT_TIMEOUT))
    except TimeoutError:
        advice = "Check pub/sub: the channels of the ACL user, and proxies between here and Redis."
        yield Finding(PROBLEM, "events do not arrive: pages will not show answers", advice)
        return
    yield Finding(OK, "events arrive")
