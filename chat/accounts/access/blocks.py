"""The blocks that are in force: owners and networks that may not use the site.

Each process reads them at most once a second, so a request costs no statement. While the database is
unavailable, the blocks that were read last stay in force.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network

from django.db import Error as DatabaseError

from chat.accounts.models import Block
from chat.limits.addresses import Network

#: Seconds for which the blocks that were read are used.
_FRESH = 1.0


@dataclass
class ActiveBlocks:
    """Blocks in force, by whom they are about."""

    owners: dict[str, Block] = field(default_factory=dict)
    networks: dict[Network, Block] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._prefixes = sorted({(network.version, network.prefixlen) for network in self.networks})

    def __bool__(self) -> bool:
        return bool(self.owners or self.networks)

    def find(self, owner: str, address: str) -> Block | None:
        """Return the block of an owner, or of the network of a `client_address`."""
        return next((block for block in self._found(owner, address) if block.is_active), None)

    def _found(self, owner: str, address: str) -> Iterator[Block]:
        if owner in self.owners:
            yield self.owners[owner]
        if not address or not self.networks:
            return
        network = ip_network(address)
        for version, prefix in self._prefixes:
            if version == network.version and prefix <= network.prefixlen:
                around = network.supernet(new_prefix=prefix)
                if around in self.networks:
                    yield self.networks[around]


_latest = ActiveBlocks()
_read_at = float("-inf")


def known() -> ActiveBlocks | None:
    """Return what `current` would return without a statement; None if it needs one."""
    return _latest if time.monotonic() < _read_at + _FRESH else None


def current() -> ActiveBlocks:
    """Return the blocks that are in force. Blocks for a statement, at most once a second."""
    global _latest, _read_at
    if (latest := known()) is not None:
        return latest
    try:
        rows = list(Block.objects.active())
    except DatabaseError:
        return _latest
    _latest = ActiveBlocks(
        {row.owner: row for row in rows if row.owner},
        {ip_network(row.network): row for row in rows if row.network},
    )
    _read_at = time.monotonic()
    return _latest


def read_again() -> None:
    """Make the next `current` read the blocks."""
    global _read_at
    _read_at = float("-inf")
