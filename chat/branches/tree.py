"""The messages of a thread as a tree. Blocks.

Each message has one parent: a reply its question, a question the reply before it. Messages with the same
parent are versions of each other. Exactly one path from a root to a leaf is chosen, and along it ids
increase, since a message is always younger than its parent.

A thread that never had two versions of anything stores no parents: there the parent of a message is the one
before it. `choice.choose` stores the parents before anything else becomes chosen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self
from uuid import UUID

from chat.models import Message


class Node(NamedTuple):
    """What the tree knows of a message."""

    id: UUID
    parent: UUID | None
    """As stored. None also for a chosen message whose parent is the chosen one before it."""
    is_chosen: bool


@dataclass(frozen=True)
class Tree:
    """All messages of one thread, at one moment."""

    nodes: list[Node]
    """In the order of their ids."""

    @classmethod
    def load(cls, thread_id: UUID) -> Self:
        """Read the tree of a thread: with one statement, so that it is the tree of one moment."""
        return cls.of(Message.objects.filter(thread_id=thread_id).values_list("id", "parent_id", "is_chosen"))

    @classmethod
    def of(cls, rows: Iterable[tuple[UUID, UUID | None, bool]]) -> Self:
        """Return the tree of rows of (id, stored parent, is chosen), in any order."""
        return cls(sorted(Node(*row) for row in rows))

    @cached_property
    def parents(self) -> dict[UUID, UUID | None]:
        """The parent of each message; None for a root."""
        parents: dict[UUID, UUID | None] = {}
        before: UUID | None = None
        for node in self.nodes:
            # A parent that is not there was deleted by an earlier release, which knows no branches.
            known = node.parent if node.parent in parents else None
            parents[node.id] = known or (before if node.is_chosen else None)
            if node.is_chosen:
                before = node.id
        return parents

    @cached_property
    def _children(self) -> dict[UUID | None, list[UUID]]:
        children: dict[UUID | None, list[UUID]] = {}
        for message_id, parent in self.parents.items():
            children.setdefault(parent, []).append(message_id)
        return children

    @property
    def chosen(self) -> list[UUID]:
        """The chosen path, from its root."""
        return [node.id for node in self.nodes if node.is_chosen]

    def children(self, message_id: UUID) -> list[UUID]:
        """Return the messages whose parent this one is, the oldest first."""
        return self._children.get(message_id, [])

    def versions(self, message_id: UUID) -> list[UUID]:
        """Return the versions of a message, itself among them, the oldest first."""
        return self._children[self.parents[message_id]]

    def path_to(self, message_id: UUID) -> list[UUID]:
        """Return the path from the root to a message."""
        path: list[UUID] = []
        at: UUID | None = message_id
        while at is not None:
            path.append(at)
            at = self.parents[at]
        return path[::-1]

    def newest_leaf(self, message_id: UUID) -> UUID:
        """Return the end of the branch of a message that takes the newest version at each fork."""
        while children := self.children(message_id):
            message_id = children[-1]
        return message_id

    def descendants(self, message_id: UUID) -> Iterator[UUID]:
        """Yield all messages below a message, in all branches."""
        left = [*self.children(message_id)]
        while left:
            yield (child := left.pop())
            left += self.children(child)


def versions_of(thread_id: UUID, message_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return the versions of those messages of a thread that have more than one."""
    if not Message.objects.filter(thread_id=thread_id, is_chosen=False).exists():
        return {}
    tree = Tree.load(thread_id)
    versions = {m: tree.versions(m) for m in message_ids if m in tree.parents}
    return {message_id: found for message_id, found in versions.items() if len(found) > 1}
