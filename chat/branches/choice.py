"""Choose a branch. Plain functions, in the transaction of the caller; they block."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from django.db.models import OuterRef, Subquery

from chat.models import Message, Thread
from queueing.api.events import Event

from .tree import Tree

#: Why another branch is chosen: for a new version, by the owner, because a version ended without a word, or
#: because the branch was removed.
Reason = Literal["asked", "chosen", "failed", "removed"]


def branch_event(thread_id: UUID, leaf: UUID, because: Reason) -> Event:
    """Return the `thread:branch` event for the owner's sockets: the path to `leaf` is chosen."""
    return {"type": "thread:branch", "threadId": thread_id.hex, "leafId": leaf.hex, "because": because}


def lock(thread_id: UUID) -> None:
    """Let no other transaction add a message to the thread, or choose a branch, until this one ends.

    All lock the first message of the thread. Not the thread: a worker that ends a reply writes the thread
    while it holds a job that the caller may be about to mark: each would wait for the other.
    """
    first = Message.objects.filter(thread_id=thread_id).order_by("id").values_list("id", flat=True)[:1]
    list(first.select_for_update())


def choose(thread_id: UUID, leaf: UUID) -> bool:
    """Choose the path to `leaf`. Return False when it was chosen already.

    The thread must be locked (`lock`). Call it after jobs were changed: a worker locks a job before its
    messages, and so must the caller.
    """
    tree = Tree.load(thread_id)
    wanted, chosen = set(tree.path_to(leaf)), set(tree.chosen)
    changed = sorted(wanted ^ chosen)
    if not changed:
        return False
    rows = Message.objects.filter(thread_id=thread_id)
    list(rows.filter(id__in=changed).select_for_update().order_by("id").values_list("id", flat=True))
    _store_parents(thread_id)
    rows.filter(id__in=chosen - wanted).update(is_chosen=False)
    rows.filter(id__in=wanted - chosen).update(is_chosen=True)
    discard_summary(thread_id, changed)
    return True


def go_back(thread_id: UUID, reply_id: UUID) -> UUID | None:
    """Choose the newest older version with a text, in place of a reply that ended without one.

    Return the new end of the chosen path. None, and nothing changes, unless the reply is the end, and has
    such a version. The thread must be locked.
    """
    tree = Tree.load(thread_id)
    if tree.chosen[-1:] != [reply_id] or Message.objects.filter(id=reply_id).exclude(content="").exists():
        return None
    older = Message.objects.filter(id__in=[v for v in tree.versions(reply_id) if v < reply_id])
    good = older.exclude(content="").order_by("-id").values_list("id", flat=True).first()
    if good is None:
        return None
    choose(thread_id, leaf := tree.newest_leaf(good))
    return leaf


def _store_parents(thread_id: UUID) -> None:
    """Store the parents of the chosen path, which until now are given by the order of the ids."""
    rows = Message.objects.filter(thread_id=thread_id, is_chosen=True)
    before = Message.objects.filter(thread_id=OuterRef("thread_id"), is_chosen=True, id__lt=OuterRef("id"))
    rows.filter(parent_id=None).update(parent_id=Subquery(before.order_by("-id").values("id")[:1]))


def discard_summary(thread_id: UUID, changed: Iterable[UUID]) -> None:
    """Discard the summary of a thread if it covers one of the messages that were removed or not chosen.

    In the transaction that changes them, after it.
    """
    covering = Thread.objects.filter(id=thread_id, summarized_through__gte=min(changed))
    covering.update(summary="", summarized_through=None)
