"""Merging the data of a visitor into a user's, including answers that are still being written."""

import logging

from django.db import OperationalError, transaction

from chat import personal_data

from .access import open_sockets

logger = logging.getLogger(__name__)

#: Transactions tried before the error is raised: a worker that ends several jobs can lock one that is merged
#: here and wait for another. The database then aborts one of the two transactions.
_TRIES = 3


def merge(old: str, new: str) -> None:
    """Give all data of the owner `old` to the owner `new`, in one transaction. Blocks.

    A second call merges what was created after the first.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                _merge(old, new)
            return
        except OperationalError:
            if not tries_left:
                raise


def _merge(old: str, new: str) -> None:
    for entry in personal_data.entries():
        if entry.model:
            entry.merge(old, new)
        else:
            transaction.on_commit(lambda entry=entry: _merge_external(entry, old, new), robust=True)
    # The visitor's session has ended. Closed sockets connect again as the user.
    transaction.on_commit(lambda: open_sockets.close_all_of(old), robust=True)


def _merge_external(entry: personal_data.Entry, old: str, new: str) -> None:
    try:
        entry.merge(old, new)
    except Exception:
        logger.exception("could not merge %s of an owner", entry.name)
