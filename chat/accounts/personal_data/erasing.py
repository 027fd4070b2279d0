"""Erasing all data of an owner, in the database and in Redis. Erasing wins every race.

What a worker writes hangs on a row or a claim that erasing removes first. What a request writes is erased by
the request itself, if its owner has been erased meanwhile (`erase_if_late`).
"""

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chat import personal_data
from chat.accounts.access import open_sockets
from chat.accounts.access.ending_access import end_access
from chat.accounts.models import ErasedOwner
from queueing.api import events, stop_owner

from .merge import in_transaction

#: How long an erased owner is remembered: longer than any request or call of a model lasts.
_REMEMBERED = timedelta(days=1)


def erase(owner: str) -> None:
    """Cancel the unfinished jobs of `owner` and delete everything. Blocks. Erasing twice is harmless."""
    ErasedOwner.objects.get_or_create(digest=_digest(owner))
    stop_owner(owner)
    in_transaction(partial(_erase_rows, owner))
    events.emit_sync(owner, {"type": "owner:erased"})
    open_sockets.close_all_of(owner)


def _erase_rows(owner: str) -> None:
    for entry in personal_data.entries():
        entry.erase(owner)


def erase_if_late(owner: str) -> bool:
    """Erase once more what was written while or after `owner` was erased. Blocks. Return whether it was.

    Call it after the commit of a write: either erasing has seen the rows, or this sees that they are late.
    """
    if was_erased := _was_erased(owner):
        erase(owner)
    return was_erased


def _was_erased(owner: str) -> bool:
    """Return whether an owner was erased. Every write asks, so it is a statement without the ORM."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_erasedowner WHERE digest = %s", [_digest(owner)])
        return cursor.fetchone() is not None


def _digest(owner: str) -> str:
    """Return a digest, by which an erased owner is remembered without its key."""
    return hashlib.sha256(f"erased:{owner}".encode()).hexdigest()


def forget_erased() -> int:
    """Delete what is remembered of owners who were erased a day ago."""
    deleted, _ = ErasedOwner.objects.filter(erased_at__lt=timezone.now() - _REMEMBERED).delete()
    return deleted


def erase_before_deletion(*, instance: Any, **_: Any) -> None:
    """Receive `pre_delete` of a user: erase what belongs to the account.

    Erase once more after the commit: what a request of the user was writing meanwhile.
    """
    end_access(instance)
    erase(f"u:{instance.pk}")
    transaction.on_commit(partial(erase, f"u:{instance.pk}"), robust=True)
