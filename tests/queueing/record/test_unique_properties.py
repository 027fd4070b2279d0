"""E22: unique jobs, against a model: any steps of submitters, workers, operators and time keep the promises.

A key has at most one holder and one job after it, each with the arguments that the model says; nothing that a
person or a worker does fails because of a key, but a retry while another job has it.
"""

import time
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from queueing.control import owners, verbs
from queueing.errors import Duplicate
from queueing.models import Job
from queueing.record import unique_jobs
from queueing.states import UNFINISHED, State
from queueing.submit import submit
from queueing.unique import NEXT, Unique

from .lifecycle import begin, end, present_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "either_database")]

KINDS = {
    "return": Unique("k"),
    "start": Unique("k", until="start"),
    "period": Unique("k", until="period", period=3600),
    "replace": Unique("k", on_conflict="replace"),
    "replace-start": Unique("k", until="start", on_conflict="replace"),
    "latest": Unique("k", on_conflict="latest"),
}
picks = st.integers(0, 99)


@dataclass
class Known:
    """A job as the model has it."""

    job: Job
    unique: Unique
    text: str
    state: State = State.WAITING
    has_begun: bool = False
    is_period_over: bool = False
    holder: "Known | None" = None
    """The job for whose end it waits."""

    @property
    def has_key(self) -> bool:
        if self.holder:
            return False
        if self.unique.until == "period":
            return not self.is_period_over
        return self.state in UNFINISHED and not (self.unique.until == "start" and self.has_begun)

    def is_replaced_by(self, unique: Unique) -> bool:
        """Return whether a further submission replaces the arguments of this holder of the key."""
        replaces = unique.on_conflict == "replace" and self.state != State.ACTIVE
        return replaces or self.unique.until == "start"


class UniqueMachine(RuleBasedStateMachine):
    """The rules each take one step on record and in the model."""

    def __init__(self) -> None:
        super().__init__()
        Job.objects.all().delete()
        self.jobs: list[Known] = []

    def in_states(self, *states: State) -> list[Known]:
        return [one for one in self.jobs if one.state in states]

    def holder(self) -> Known | None:
        (one,) = [one for one in self.jobs if one.has_key] or [None]
        return one

    def follower(self) -> Known | None:
        return next((one for one in self.jobs if one.holder and one.state in UNFINISHED), None)

    @rule(name=st.sampled_from(sorted(KINDS)))
    def submit(self, name: str) -> None:
        unique, text = KINDS[name], f"text {time.monotonic_ns()}"
        made = submit("test.echo", {"text": text}, owner="alice", unique=unique)
        holder, follower = self.holder(), self.follower()
        if holder is None:
            assert (made.created, made.conflict) == (True, "")
            self.jobs.append(Known(made.job, unique, text))
        elif unique.on_conflict == "return" or holder.unique.until == "period":
            assert (made.created, made.job) == (False, holder.job)
        elif follower or holder.is_replaced_by(unique):
            changed = follower or holder
            changed.text = text
            assert (made.created, made.job) == (False, changed.job)
        else:
            assert (made.created, made.conflict) == (True, unique.on_conflict)
            self.jobs.append(Known(made.job, unique, text, State.DELAYED, holder=holder))

    def ended(self, one: Known, state: State) -> None:
        one.state = state
        for other in self.jobs:
            if other.holder is one:
                other.holder = None
                if other.state == State.DELAYED:
                    other.state = State.WAITING

    @precondition(lambda self: self.in_states(State.WAITING))
    @rule(pick=picks)
    def start(self, pick: int) -> None:
        waiting = self.in_states(State.WAITING)
        one = waiting[pick % len(waiting)]
        assert begin(one.job).args == {"text": one.text}
        one.state, one.has_begun = State.ACTIVE, True

    @precondition(lambda self: self.in_states(State.ACTIVE))
    @rule(pick=picks, state=st.sampled_from([State.COMPLETED, State.FAILED, State.WAITING]))
    def end(self, pick: int, state: State) -> None:
        active = self.in_states(State.ACTIVE)
        one = active[pick % len(active)]
        assert end(present_run(one.job), state).won
        if state == State.WAITING:
            one.state = state
        else:
            self.ended(one, state)

    @precondition(lambda self: self.in_states(*UNFINISHED))
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        unfinished = self.in_states(*UNFINISHED)
        one = unfinished[pick % len(unfinished)]
        verbs.cancel(one.job.id)
        one.holder = None
        self.ended(one, State.CANCELLED)

    @precondition(lambda self: self.in_states(State.FAILED, State.CANCELLED))
    @rule(pick=picks)
    def retry(self, pick: int) -> None:
        over = self.in_states(State.FAILED, State.CANCELLED)
        one = over[pick % len(over)]
        others = [other for other in self.jobs if other is not one and other.has_key]
        needs_key = not one.is_period_over
        try:
            verbs.retry(one.job.id)
        except Duplicate:
            assert needs_key
            assert others
            return
        assert not (needs_key and others)
        one.state, one.has_begun = State.WAITING, False

    @rule(pick=picks)
    def remove(self, pick: int) -> None:
        if stopped := self.in_states(*(set(State) - {State.ACTIVE})):
            one = stopped[pick % len(stopped)]
            verbs.remove(one.job.id)
            self.jobs.remove(one)
            self.ended(one, State.CANCELLED)

    @rule()
    def period_passes(self) -> None:
        for one in self.jobs:
            if one.unique.until == "period" and one.has_key:
                Job.objects.filter(id=one.job.id).update(options={"unique_until": 1.0})
                one.is_period_over = True
                assert unique_jobs.holder(Job.objects.get(id=one.job.id).unique_key) is None

    @rule()
    def rename(self) -> None:
        for old, new in (("alice", "bob"), ("bob", "alice")):
            with transaction.atomic():
                owners.rename_owner(old, new)

    @invariant()
    def record_is_as_the_model(self) -> None:
        rows = {job.pk: job for job in Job.objects.all()}
        assert set(rows) == {one.job.pk for one in self.jobs}
        for one in self.jobs:
            row = rows[one.job.pk]
            assert (row.state, row.args) == (one.state, {"text": one.text})
            if one.state in UNFINISHED:
                assert bool(row.unique_key and row.unique_key.endswith(NEXT)) == bool(one.holder)
        held = [job.pk for job in unique_jobs.with_keys() if not job.unique_key.endswith(NEXT)]
        assert held == [one.job.pk for one in self.jobs if one.has_key]
        assert len(held) <= 1


def test_any_steps_keep_one_job_for_each_key_with_the_newest_arguments():
    assert connection.vendor in ("sqlite", "postgresql")
    few = settings(max_examples=12, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(UniqueMachine, settings=few)


@pytest.mark.slow
def test_any_steps_keep_one_job_for_each_key_many_times():
    many = settings(max_examples=150, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(UniqueMachine, settings=many)
