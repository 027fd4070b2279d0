"""The address of a client behind proxies. `TRUSTED_PROXIES` names the proxies whose headers are trusted.

Every proxy appends the address of its caller to `X-Forwarded-For`, and any client can send that header. So
it is read from its end: the first address that is not a trusted proxy is the client's.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

Network = IPv4Network | IPv6Network

#: In TRUSTED_PROXIES: callers through a Unix socket, which have no address.
UNIX = "unix"
#: Bits of the network that is counted for an IPv6 client: a client controls at least a /64, so counting
#: single addresses would limit nothing.
V6_PREFIX = 64


def client_address(source: HttpRequest | Mapping[str, Any]) -> str:
    """Return the address by which a request or an ASGI scope is counted; empty when it is unknown.

    An IPv4 address, or the /64 network of an IPv6 one, such as `2001:db8:1:2::/64`.
    """
    return _address_of(*_hops(source), tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=1024)  # each request asks several times
def _address_of(peer: str, forwarded: str, proxies: tuple[str, ...]) -> str:
    trusted, unix = _trusted(proxies)
    if not peer and not unix:
        return ""
    found: IPv4Address | IPv6Address | None = None
    hops = forwarded.split(",")
    for hop in reversed([*hops, peer] if peer else hops):
        address = _parse(hop)
        if address is None:
            break
        found = address
        if not any(address in network for network in trusted):
            break
    return _counted(found) if found else ""


def network_name(address: str) -> str:
    """Return the name by which a `client_address` is stored: a keyed hash, so that no address is stored.

    Empty for an unknown address.
    """
    return f"n:{salted_hmac(__name__, address, algorithm='sha256').hexdigest()[:32]}" if address else ""


def _hops(source: HttpRequest | Mapping[str, Any]) -> tuple[str, str]:
    """Return the address of the direct caller, and X-Forwarded-For: addresses in their order."""
    if isinstance(source, HttpRequest):
        return source.META.get("REMOTE_ADDR", ""), source.META.get("HTTP_X_FORWARDED_FOR", "")
    lines = [value for name, value in source.get("headers", ()) if name == b"x-forwarded-for"]
    return (source.get("client") or ("",))[0], b",".join(lines).decode("latin-1")


def _parse(hop: str) -> IPv4Address | IPv6Address | None:
    """Parse `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1` or `[2001:db8::1]:5678`; None for anything else."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, V6_PREFIX), strict=False))


@lru_cache(maxsize=8)
def _trusted(proxies: tuple[str, ...]) -> tuple[list[Network], bool]:
    """Return the trusted networks, and whether Unix sockets are trusted."""
    return [parse_network(text) for text in proxies if text != UNIX], UNIX in proxies


def parse_network(text: str) -> Network:
    """Parse a network such as `10.0.0.0/8`, or a single address. Raises `ValueError`."""
    return ip_network(text.strip())
