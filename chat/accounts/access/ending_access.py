"""How all access of a user ends: when the password changes, and before the account is deleted."""

from functools import partial
from typing import Any

from django.db import transaction

from . import open_sockets
from .signed_in import end_sessions


def end_access(user: Any) -> None:
    """Delete all sessions and API tokens of `user`, and close what they opened. Blocks.

    Sockets that miss the message are closed by the next check (`open_sockets`).
    """
    with transaction.atomic():
        end_sessions(user.sessions.all())
        user.tokens.all().delete()
        transaction.on_commit(partial(open_sockets.close_all_of, f"u:{user.pk}"), robust=True)


def end_access_after_change(*, instance: Any, created: bool, **_: Any) -> None:
    """Receive `post_save` of a user: end all access if the password changed, by any page or command.

    `_password` is the new password until `save` returns. Django clears it first when it only replaces an old
    hash by a stronger one, which is not a change. The sessions of a user who is deactivated end, so they do
    not come back with the user. API tokens are refused meanwhile.
    """
    if created:
        return
    if instance._password is not None:
        end_access(instance)
    elif not instance.is_active:
        end_sessions(instance.sessions.all())
