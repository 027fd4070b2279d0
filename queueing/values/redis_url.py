"""The setting `REDIS_URL`: which addresses it accepts, and what they mean.

    redis://host:6379/0                       one server
    rediss://user:password@host:6379/0        the same over TLS
    unix:///run/redis.sock?db=0               a socket of this host
    redis+sentinel://a:26379,b:26379/name/0   the primary `name`, as the Sentinels at `a` and `b` know it
    redis+cluster://a:6379,b:6379             a Redis Cluster, of which `a` and `b` are nodes

`rediss+sentinel` and `rediss+cluster` use TLS. User and password are those of the servers that hold the
data. Sentinels that need others have them in the query: `?sentinel_username=…&sentinel_password=…`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.connection import Connection, parse_url

_EXAMPLES = "redis://localhost:6379/0, redis+sentinel://host:26379/name/0 or redis+cluster://host:6379"
_HINT = "Percent-encode the special characters of the password."
#: Scheme -> kind of address.
_KINDS: dict[str, Literal["server", "sentinel", "cluster"]] = {
    "redis": "server",
    "rediss": "server",
    "unix": "server",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
_PORTS = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class RedisURL:
    """What `REDIS_URL` says."""

    kind: Literal["server", "sentinel", "cluster"]
    hosts: tuple[tuple[str, int], ...]
    """Where to ask first: the server itself, Sentinels, or nodes of a cluster. Empty for a Unix socket."""
    options: Mapping[str, Any]
    """Arguments of a connection to the data: user, password, database, TLS, path of a Unix socket."""
    connection_class: type[Any]
    """redis-py's class of synchronous connections, which tells TCP, TLS and Unix sockets apart."""
    primary: str = ""
    """The name under which Sentinels know the primary."""
    sentinel_options: Mapping[str, Any] | None = None


@cache
def parse_redis_url(url: str) -> RedisURL:
    """Return what `url` says. Raise `ImproperlyConfigured`, without quoting it: it may hold a password."""
    parts = urlsplit(url)
    kind = _KINDS.get(parts.scheme) if "://" in url else None
    if kind is None:
        raise ImproperlyConfigured(f"REDIS_URL does not begin as one of: {_EXAMPLES}")
    if parts.fragment or "@" in parts.path:
        raise ImproperlyConfigured(f"REDIS_URL cannot be read. {_HINT}")
    query = dict(parse_qsl(parts.query))
    sentinel = {
        name.removeprefix("sentinel_"): query.pop(name) for name in _SENTINEL_OPTIONS if name in query
    }
    primary, database = _path(kind, parts)
    user, _, hosts = parts.netloc.rpartition("@")
    addresses = tuple(_host(host, _PORTS[kind]) for host in hosts.split(","))
    if kind == "server" and len(addresses) > 1:
        raise ImproperlyConfigured("REDIS_URL: several hosts need redis+sentinel:// or redis+cluster://")
    scheme = parts.scheme.partition("+")[0]
    plain = f"{scheme}://{user}@any{database}?{urlencode(query)}"
    options = _options(url if scheme == "unix" else plain)
    return RedisURL(
        kind=kind,
        hosts=() if scheme == "unix" else addresses,
        connection_class=options.pop("connection_class", Connection),
        options=options,
        primary=primary,
        sentinel_options=sentinel,
    )


def _path(kind: str, parts: SplitResult) -> tuple[str, str]:
    """Return the name of the primary and the path that holds the database's number."""
    if parts.scheme == "unix":
        return "", parts.path
    names = [unquote(name) for name in parts.path.split("/") if name]
    primary = ""
    if kind == "sentinel":
        if not names:
            raise ImproperlyConfigured("REDIS_URL: name the primary: redis+sentinel://host:26379/name/0")
        primary = names.pop(0)
    if len(names) > 1 or (names and not names[0].isdigit()):
        raise ImproperlyConfigured("REDIS_URL: the path must be the number of a database, such as /0")
    if kind == "cluster" and names not in ([], ["0"]):
        raise ImproperlyConfigured("REDIS_URL: a Redis Cluster has only the database 0")
    return primary, f"/{names[0]}" if names else ""


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        found = urlsplit(f"//{text}")
        return unquote(found.hostname or "localhost"), found.port or default_port
    except ValueError:
        raise ImproperlyConfigured(f"REDIS_URL: a port is not a number. {_HINT}") from None


def _options(url: str) -> dict[str, Any]:
    """Return the arguments of a connection, as redis-py reads them."""
    try:
        options = dict(parse_url(url))  # type: ignore[no-untyped-call]
        kwargs = {name: value for name, value in options.items() if name != "connection_class"}
        options.get("connection_class", Connection)(**kwargs)
    except (ValueError, TypeError) as exc:
        raise ImproperlyConfigured(
            f"REDIS_URL has an option that Redis connections do not have: {exc}"
        ) from None
    for name in ("host", "port"):
        options.pop(name, None)
    return options
