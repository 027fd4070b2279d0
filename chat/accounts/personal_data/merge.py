"""Merging the data of a visitor into a user's, including answers that are still being written."""

from collections.abc import Callable

from django.db import IntegrityError, OperationalError, transaction

from chat import personal_data
from chat.accounts.access import open_sockets

#: Transactions tried before the error is raised. A worker that ends several jobs can lock one that is changed
#: here and wait for another: the database then aborts one of the two. A message can be added to a thread that
#: is being deleted.
_TRIES = 3


def merge(old: str, new: str) -> None:
    """Give all data of the owner `old` to the owner `new`, in one transaction. Blocks.

    A second call merges what was created after the first.
    """
    in_transaction(lambda: _merge(old, new))


def in_transaction(change: Callable[[], None]) -> None:
    """Make a change of all data of an owner in one transaction, again after a conflict with another one."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                change()
            return
        except (OperationalError, IntegrityError):
            if not tries_left:
                raise


def _merge(old: str, new: str) -> None:
    for entry in personal_data.entries():
        entry.merge(old, new)
    # The visitor's session has ended. Closed sockets connect again as the user.
    transaction.on_commit(lambda: open_sockets.close_all_of(old), robust=True)
