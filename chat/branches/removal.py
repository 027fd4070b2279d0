"""Delete messages and keep the rest a tree with one chosen path. In the transaction of the caller; blocks."""

from collections.abc import Collection
from uuid import UUID

from chat.models import Message

from .choice import choose, discard_summary
from .tree import Tree


def remove(thread_id: UUID, removed: Collection[UUID]) -> None:
    """Delete messages of a thread. What follows them gets the nearest parent that is left."""
    tree = Tree.load(thread_id)
    gone = {message_id for message_id in removed if message_id in tree.parents}
    if not gone:
        return
    Message.objects.filter(thread_id=thread_id, id__in=gone).delete()
    discard_summary(thread_id, gone)
    if len(tree.chosen) == len(tree.nodes):
        return  # without versions, the order of the ids still says who follows whom
    for message_id, parent in tree.parents.items():
        if parent in gone and message_id not in gone:
            left = next((m for m in reversed(tree.path_to(parent)) if m not in gone), None)
            Message.objects.filter(id=message_id).update(parent_id=left)


def choose_what_is_left(thread_id: UUID) -> UUID | None:
    """Go on from the end of the chosen path, which was removed, with the newest branch that is left there.

    Return the new end if there is one. The thread must be locked (`choice.lock`).
    """
    tree = Tree.load(thread_id)
    roots = [message_id for message_id, parent in tree.parents.items() if parent is None]
    end = tree.chosen[-1] if tree.chosen else max(roots, default=None)
    leaf = tree.newest_leaf(end) if end is not None else None
    return leaf if leaf is not None and choose(thread_id, leaf) else None
