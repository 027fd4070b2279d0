"""Block an owner or a network, and lift a block. Plain functions; they block.

A block ends what is open within five seconds, in every process (`access/open_sockets.py`).
"""

import re
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_network
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from chat.errors import InvalidInput
from chat.limits.addresses import V6_PREFIX, Network
from queueing.api import stop_owner

from . import texts
from .access import blocks, open_sockets
from .models import Block

_OWNER = re.compile(r"u:[0-9]{1,18}|s:[0-9a-f]{40}")
#: The largest networks that can be blocked, by the version of IP: larger ones are typing errors.
_SHORTEST_PREFIX = {4: 8, 6: 16}


def block(who: str, *, reason: str, actor: str, days: float | None = None) -> Block:
    """Block a user (name, verified address or owner key), a visitor (owner key), or an address or network.

    `reason` is shown to the blocked. Without `days` the block holds until it is lifted. The unfinished jobs
    of an owner are cancelled. Raise `InvalidInput`, also for staff, whose rights can be taken instead.
    """
    if not reason.strip():
        raise InvalidInput("reason", texts.BLOCK_WITHOUT_REASON)
    row = Block(**target_of(who.strip()), reason=reason.strip(), created_by=actor, ends_at=_end(days))
    with transaction.atomic():
        row.save()
        transaction.on_commit(partial(_end_access, row.owner), robust=True)
    return row


def lift(row: Block, *, actor: str) -> bool:
    """End a block now. Return False if it had ended."""
    ended = {"lifted_at": timezone.now(), "lifted_by": actor}
    lifted = Block.objects.active().filter(pk=row.pk).update(**ended)
    blocks.read_again()
    return bool(lifted)


def _end(days: float | None) -> datetime | None:
    if days is None:
        return None
    if not 0 < days <= 3650:
        raise InvalidInput("days", texts.BLOCK_DAYS)
    return timezone.now() + timedelta(days=days)


def _end_access(owner: str) -> None:
    blocks.read_again()
    if owner:
        stop_owner(owner)
        open_sockets.close_all_of(owner)


def target_of(who: str) -> dict[str, str]:
    """Return the field of a block that names `who`. Raise `InvalidInput`."""
    if network := network_of(who):
        if network.prefixlen < _SHORTEST_PREFIX[network.version]:
            raise InvalidInput("who", texts.BLOCK_TOO_LARGE)
        return {"network": str(network)}
    if who.startswith("s:") and _OWNER.fullmatch(who):
        return {"owner": who}
    user = _user(who)
    if user is None:
        raise InvalidInput("who", texts.BLOCK_UNKNOWN)
    if user.is_staff:
        raise InvalidInput("who", texts.BLOCK_STAFF)
    return {"owner": f"u:{user.pk}"}


def network_of(text: str) -> Network | None:
    """Return the network of an address or network; of IPv6 at least the /64, by which clients are counted."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    too_small = network.version == 6 and network.prefixlen > V6_PREFIX
    return network.supernet(new_prefix=V6_PREFIX) if too_small else network


def _user(who: str) -> Any:
    users = get_user_model()._default_manager
    if _OWNER.fullmatch(who):
        return users.filter(pk=who[2:]).first()
    verified = EmailAddress.objects.filter(email=who.lower(), verified=True).select_related("user").first()
    return verified.user if verified else users.filter(username=who).first()
