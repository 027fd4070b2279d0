"""Find the server that holds the schedule now: ask Sentinels, or the nodes of a Redis Cluster.

All functions block, for at most `_TIMEOUT` per question. They raise one of redis-py's errors.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from queueing.values.redis_url import RedisURL

Address = tuple[str, int]

#: Seconds that a server has to connect, and to answer each question.
_TIMEOUT = 0.5
#: Errors after which the next server is asked.
_FAILED = (redis.RedisError, OSError)


def ask(url: RedisURL, address: Address | None, *command: Any, **options: Any) -> Any:
    """Return the reply of the server at `address` to one command, over a connection of its own."""
    place = {"host": address[0], "port": address[1]} if address else {}
    connection = url.connection_class(
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        decode_responses=True,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        **place,
        **(options or url.options),
    )
    try:
        connection.send_command(*command, check_health=False)
        return connection.read_response()
    finally:
        connection.disconnect()


def primary_of(url: RedisURL) -> Address:
    """Return the address of the primary: what the first Sentinel says whose primary confirms it.

    A Sentinel that was cut off may still name the server that was the primary before.
    """
    tls = {name: value for name, value in url.options.items() if name.startswith("ssl_")}
    options = {"db": 0} | tls | dict(url.sentinel_options or {})
    problems = []
    for sentinel in url.hosts:
        try:
            found = ask(url, sentinel, "SENTINEL", "get-master-addr-by-name", url.primary, **options)
            if not found:
                problems.append("a Sentinel does not know that name")
                continue
            address = (str(found[0]), int(found[1]))
            if ask(url, address, "ROLE")[0] == "master":
                return address
            problems.append(f"{address[0]}:{address[1]} is not a primary now")
        except _FAILED as exc:
            problems.append(str(exc))
    raise redis.ConnectionError(f"no primary {url.primary!r} was found: {'; '.join(problems)}")


def owner_of(url: RedisURL, key: str, known: Iterable[Address]) -> tuple[Address, list[Address]]:
    """Return the node of the cluster that owns the slot of `key`, and all nodes, as a living node says."""
    problems = []
    for node in dict.fromkeys([*known, *url.hosts]):
        try:
            slots = ask(url, node, "CLUSTER", "SLOTS")
        except _FAILED as exc:
            problems.append(str(exc))
            continue
        slot = key_slot(key.encode())
        nodes = {address for _, _, *hosts in slots for address in _addresses(hosts, node)}
        for first, last, *hosts in slots:
            if first <= slot <= last:
                return next(_addresses(hosts, node)), [node, *sorted(nodes - {node})]
        problems.append(f"{node[0]}:{node[1]} knows no owner of slot {slot}")
    raise redis.ConnectionError(f"no node of the cluster can be used: {'; '.join(problems)}")


def _addresses(hosts: list[Any], asked: Address) -> Iterator[Address]:
    """Yield addresses of a reply. An empty host means: the one that was asked."""
    for host, port, *_ in hosts:
        if host != "?":
            yield str(host or asked[0]), int(port)


def first_that_answers(url: RedisURL, addresses: Iterable[Address]) -> Address:
    """Return the first of the addresses whose server answers."""
    problem: Exception = redis.ConnectionError("no address")
    for address in addresses:
        try:
            ask(url, address, "PING")
        except _FAILED as exc:
            problem = exc
        else:
            return address
    raise problem
