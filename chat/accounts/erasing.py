"""Erasing all data of an owner, in the database and in Redis."""

import logging
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction

from chat import personal_data
from queueing.api import stop_owner

from . import open_sockets

logger = logging.getLogger(__name__)


def erase(owner: str) -> None:
    """Cancel the unfinished jobs of `owner` and delete everything. Blocks. Erasing twice is harmless."""
    stop_owner(owner)
    with transaction.atomic():
        for entry in personal_data.entries():
            if entry.model:
                entry.erase(owner)
    for entry in personal_data.entries():
        if not entry.model:
            _erase_external(entry, owner)
    open_sockets.close_all_of(owner)


def _erase_external(entry: personal_data.Entry, owner: str) -> None:
    try:
        entry.erase(owner)
    except Exception:
        logger.exception("could not erase %s of an owner", entry.name)


def erase_user(user: Any) -> None:
    """Erase the data of a user, and the account with its sessions and tokens."""
    owner = f"u:{user.pk}"
    with transaction.atomic():
        end_sessions(user)
        user.tokens.all().delete()
    erase(owner)
    user.delete()


def end_sessions(user: Any, *, except_key: str = "") -> None:
    """Sign the user out of all sessions, except the one with the key `except_key`. Blocks."""
    sessions = user.sessions.exclude(session_key=except_key)
    Session.objects.filter(session_key__in=list(sessions.values_list("session_key", flat=True))).delete()
    sessions.delete()
