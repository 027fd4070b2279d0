"""The names and addresses by which other computers reach `make run` when HOST lets them."""

import os
import socket
from contextlib import suppress

#: The hosts at which a server listens on all addresses.
ALL = ("0.0.0.0", "::")  # noqa: S104
_DEFAULT = "localhost,127.0.0.1,[::1]"


def of_host(host: str) -> list[str]:
    """Return the names behind a HOST that other computers can use, the most likely first."""
    if host not in ALL:
        return [] if host in ("localhost", "127.0.0.1", "::1") else [host]
    found = [address for address in (_outgoing(socket.AF_INET, "192.0.2.1"),) if address]
    if host == "::":
        found += [address for address in (_outgoing(socket.AF_INET6, "2001:db8::1"),) if address]
    return [*dict.fromkeys(found), socket.gethostname()]


def _outgoing(family: socket.AddressFamily, somewhere: str) -> str:
    """Return the address from which this computer would send; nothing is sent."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((somewhere, 9))
        return str(sock.getsockname()[0])
    return ""


def url(name: str, port: int) -> str:
    """Return the address of the site by a name."""
    return f"http://{_bracketed(name)}:{port}"


def allow(host: str) -> None:
    """Let the web process answer to the names of HOST, beside those in ALLOWED_HOSTS."""
    if names := of_host(host):
        allowed = os.environ.get("ALLOWED_HOSTS") or _DEFAULT
        os.environ["ALLOWED_HOSTS"] = ",".join([allowed, *map(_bracketed, names)])


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
