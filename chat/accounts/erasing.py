"""Erasing all data of an owner, in the database and in Redis."""

import logging
from functools import partial
from typing import Any

from django.db import transaction

from chat import personal_data
from queueing.api import stop_owner

from .access import open_sockets
from .access.ending_access import end_access

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


def erase_before_deletion(*, instance: Any, **_: Any) -> None:
    """Receive `pre_delete` of a user: erase what belongs to the account.

    Erase once more after the commit: what a request of the user was writing meanwhile.
    """
    end_access(instance)
    erase(f"u:{instance.pk}")
    transaction.on_commit(partial(erase, f"u:{instance.pk}"), robust=True)
