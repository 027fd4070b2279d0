"""Erasing: nothing of an owner stays, in no table and not in Redis."""

import logging
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction

from chat import personal_data
from queueing.api import stop_owner

from . import open_sockets

logger = logging.getLogger(__name__)


def erase(owner: str) -> None:
    """Stop what is being answered for `owner`, and delete everything. Blocks; twice is as good as once."""
    stop_owner(owner)
    with transaction.atomic():
        for belonging in personal_data.belongings():
            if belonging.model:
                belonging.erase(owner)
    for belonging in personal_data.belongings():
        if not belonging.model:
            _elsewhere(belonging, owner)
    open_sockets.end_all_of(owner)


def _elsewhere(belonging: personal_data.Belonging, owner: str) -> None:
    try:
        belonging.erase(owner)
    except Exception:
        logger.exception("%s of an erased owner could not be erased", belonging.name)


def erase_user(user: Any) -> None:
    """`erase` for a user, and the account with its sessions and tokens."""
    owner = f"u:{user.pk}"
    with transaction.atomic():
        end_sessions(user)
        user.tokens.all().delete()
    erase(owner)
    user.delete()


def end_sessions(user: Any, *, but: str = "") -> None:
    """Sign the user out everywhere, but for the session with the key `but`. Blocks."""
    others = user.sign_ins.exclude(session_key=but)
    Session.objects.filter(session_key__in=list(others.values_list("session_key", flat=True))).delete()
    others.delete()
