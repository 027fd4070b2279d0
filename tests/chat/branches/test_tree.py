"""The tree of a thread: whatever is done, exactly one path is chosen, and ids increase along it."""

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat.branches.choice import choose, lock
from chat.branches.removal import choose_what_is_left, remove
from chat.branches.tree import Tree, versions_of
from chat.models import Message, Role, Thread
from queueing.api import new_id

pytestmark = pytest.mark.django_db(transaction=True)


class Branches(RuleBasedStateMachine):
    """Messages are added, given other versions, chosen and removed. The model knows who follows whom."""

    def __init__(self) -> None:
        super().__init__()
        Thread.objects.all().delete()
        self.thread = Thread.objects.create(owner="s:1", companion="travel", updated_at="2026-01-01T00:00Z")
        self.parents: dict[UUID, UUID | None] = {}
        self.path: list[UUID] = []

    def write(self, parent: UUID | None, **fields: Any) -> UUID:
        message = Message.objects.create(
            id=new_id(), thread=self.thread, role=Role.ASSISTANT, content="x", job_id=new_id(), **fields
        )
        self.parents[message.pk] = parent
        return message.pk

    def children(self, message_id: UUID | None) -> list[UUID]:
        return sorted(m for m, parent in self.parents.items() if parent == message_id)

    def ancestors(self, message_id: UUID | None) -> list[UUID]:
        path: list[UUID] = []
        while message_id is not None:
            path.insert(0, message_id)
            message_id = self.parents[message_id]
        return path

    def newest(self, message_id: UUID) -> UUID:
        while children := self.children(message_id):
            message_id = children[-1]
        return message_id

    @rule()
    def append(self) -> None:
        """As a release without branches writes it, and this one: without a parent."""
        self.path.append(self.write(self.path[-1] if self.path else None))

    @precondition(lambda self: self.parents)
    @rule(data=st.data())
    def add_version(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(sorted(self.parents)))
        with transaction.atomic():
            lock(self.thread.pk)
            parent = Tree.load(self.thread.pk).parents[old]
            new = self.write(parent, parent_id=parent, is_chosen=False)
            choose(self.thread.pk, new)
        assert parent == self.parents[old]
        self.path = self.ancestors(new)

    @precondition(lambda self: self.parents)
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        leaf = self.newest(data.draw(st.sampled_from(sorted(self.parents))))
        with transaction.atomic():
            lock(self.thread.pk)
            assert choose(self.thread.pk, leaf) is (self.ancestors(leaf) != self.path)
        self.path = self.ancestors(leaf)

    @precondition(lambda self: self.parents)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(self.parents)), min_size=1, max_size=3))
        with transaction.atomic():
            lock(self.thread.pk)
            remove(self.thread.pk, gone)
            choose_what_is_left(self.thread.pk)
        for message_id in sorted(gone):
            parent = self.parents.pop(message_id)
            self.parents = {m: parent if p == message_id else p for m, p in self.parents.items()}
        self.path = [m for m in self.path if m not in gone]
        if self.path:
            self.path = self.ancestors(self.newest(self.path[-1]))
        elif self.parents:
            self.path = self.ancestors(self.newest(max(self.children(None))))

    @invariant()
    def record_is_the_model(self) -> None:
        tree = Tree.load(self.thread.pk)
        assert tree.parents == self.parents
        assert tree.chosen == self.path == sorted(self.path)
        several = {m: v for m in self.parents if len(v := self.children(self.parents[m])) > 1}
        assert versions_of(self.thread.pk, self.parents) == several
        assert all(sorted(tree.descendants(m)) == sorted(self.below(m)) for m in self.path[:2])

    def below(self, message_id: UUID) -> list[UUID]:
        return [m for m in self.parents if message_id in self.ancestors(self.parents[m])]


def test_any_sequence_of_changes_keeps_one_chosen_path():
    machine = Branches
    machine.TestCase.settings = settings(
        max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine.TestCase("runTest").runTest()


@given(st.integers(0, 40))
def test_thread_without_versions_stores_no_parents_and_is_a_list(count):
    ids = [new_id() for _ in range(count)]
    tree = Tree.of([(message_id, None, True) for message_id in ids])
    assert tree.chosen == ids
    assert [tree.parents[m] for m in ids] == [None, *ids][:count]
    assert all(tree.versions(m) == [m] for m in ids)


def test_branch_of_thousands_of_messages_needs_no_recursion():
    ids = [new_id() for _ in range(5_000)]
    tree = Tree.of([(m, p, True) for m, p in zip(ids, [None, *ids], strict=False)])
    assert tree.newest_leaf(ids[0]) == ids[-1]
    assert len(list(tree.descendants(ids[0]))) == 4_999
    assert tree.path_to(ids[-1]) == ids


def test_branch_whose_parent_an_earlier_release_has_deleted_is_a_root():
    first, gone, reply = (new_id() for _ in range(3))
    tree = Tree.of([(first, None, True), (reply, gone, False)])
    assert tree.parents == {first: None, reply: None}
    assert tree.path_to(reply) == [reply]
