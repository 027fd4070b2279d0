"""From a visitor to a user: what the visitor has becomes the user's, what is being answered as well."""

import logging

from django.db import OperationalError, transaction

from chat import personal_data

from . import open_sockets

logger = logging.getLogger(__name__)

#: A worker that ends several jobs may hold one that we want, and want one that we hold. Then the database
#: stops one of us.
_TRIES = 3


def move(old: str, new: str) -> None:
    """Make everything of `old` `new`'s, all of it or nothing. Doing it again moves what came late."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                _move(old, new)
            return
        except OperationalError:
            if not tries_left:
                raise


def _move(old: str, new: str) -> None:
    for belonging in personal_data.belongings():
        if belonging.model:
            belonging.move(old, new)
        else:
            transaction.on_commit(lambda b=belonging: _elsewhere(b, old, new), robust=True)
    # Its tabs speak for a session that is no more; they begin again as the user.
    transaction.on_commit(lambda: open_sockets.end_all_of(old), robust=True)


def _elsewhere(belonging: personal_data.Belonging, old: str, new: str) -> None:
    try:
        belonging.move(old, new)
    except Exception:
        logger.exception("%s of an owner could not be moved", belonging.name)
