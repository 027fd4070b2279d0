"""Whatever happens, each tick that is due is one job or one skipped tick with its reason."""

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from unittest import mock

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from queueing.models import Job, RecurringJob, RecurringTick
from queueing.recurring import history, ticking, verbs
from queueing.recurring.definition import Definition
from queueing.states import State

from .conftest import NOON, look

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_many_workers_that_look_at_once_submit_one_job(recurring_job, clock):
    keys = [recurring_job(name=f"r{number}").pk for number in range(4)]
    clock.step(minutes=10)
    barrier = Barrier(4)

    def be_a_worker(_: int) -> None:
        barrier.wait()
        for key in random.sample(keys, len(keys)):
            ticking.handle(key)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(be_a_worker, range(4)))
    assert Counter(job.meta["recurring"] for job in Job.objects.all()) == dict.fromkeys(
        ["r0", "r1", "r2", "r3"], 1
    )
    assert RecurringTick.objects.count() == 4


class Death(Exception):
    """A worker is killed: nothing of its transaction is stored."""


#: Where a worker may be killed while it handles a tick.
_MOMENTS = [
    "queueing.recurring.history.add",
    "queueing.recurring.ticking.submit",
    "queueing.models.RecurringJob.save",
]
_TIMES = st.one_of(
    st.builds(lambda every: ("", every), st.sampled_from([20, 60, 420, 3600])),
    st.builds(lambda minute: (f"{minute} * * * *", None), st.integers(0, 59)),
    st.builds(lambda step: (f"*/{step} * * * *", None), st.integers(1, 30)),
)
_POLICIES = st.fixed_dictionaries(
    {
        "missed": st.sampled_from(["skip", "one", "all"]),
        "overlap": st.sampled_from(["skip", "queue", "allow"]),
        "grace": st.sampled_from([None, 1, 600]),
    }
)


def is_tick(cron: str, every: int | None, at: datetime) -> bool:
    """Say without the code under test whether a whole second is a tick."""
    if every:
        return int(at.timestamp()) % every == 0
    minute = cron.split()[0]
    fits = at.minute % int(minute[2:]) == 0 if minute.startswith("*/") else at.minute == int(minute)
    return fits and at.second == 0


class Recurring(RuleBasedStateMachine):
    """One recurring job, and a model of its ticks: each second that has passed while it had these times."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.cron, self.every = "", 420
        self.paused = False
        self.known = NOON
        """Up to this time the ticks are in `due`."""
        self.due: list[datetime] = []
        """Ticks that must be in the history."""

    def read_clock(self) -> datetime:
        return self.now

    @initialize(times=_TIMES, policy=_POLICIES)
    def begin(self, times, policy) -> None:
        self.cron, self.every = times
        self.policy = policy
        self.store()

    def store(self) -> None:
        definition = {
            "name": "r",
            "kind": "test.noop",
            "cron": self.cron,
            "every": self.every,
            "time_zone": "UTC",
        }
        with mock.patch.object(timezone, "now", self.read_clock):
            verbs.store(Definition(**definition, **self.policy))

    def pass_to(self, until: datetime) -> None:
        """Add the ticks up to this time, included, to those that are due."""
        at = self.known.replace(microsecond=0) + timedelta(seconds=1)
        while at <= until:
            if is_tick(self.cron, self.every, at):
                self.due.append(at)
            at += timedelta(seconds=1)
        self.known = until

    @rule(seconds=st.one_of(st.integers(0, 90), st.integers(0, 2400)))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def worker_looks(self) -> None:
        with mock.patch.object(timezone, "now", self.read_clock):
            look()
        if not self.paused:
            self.pass_to(self.now)

    @rule(moment=st.sampled_from(_MOMENTS))
    def worker_dies(self, moment: str) -> None:
        """Handling may have gone well, up to the tick at which it died."""
        with (
            mock.patch.object(timezone, "now", self.read_clock),
            mock.patch.object(ticking, "is_outage", lambda exc: isinstance(exc, Death)),
            mock.patch(moment, side_effect=Death),
        ):
            for key, at in ticking.next_looks():
                if at <= self.now:
                    with pytest.raises(Death):
                        ticking.handle(key)
                    return

    @rule()
    def operator_pauses_or_resumes(self) -> None:
        with mock.patch.object(timezone, "now", self.read_clock):
            if self.paused:
                verbs.resume("r")
                self.pass_to(self.now - timedelta(seconds=1))
                self.known = self.now
            else:
                verbs.pause("r")
        self.paused = not self.paused

    @rule(times=_TIMES)
    def operator_changes_times(self, times) -> None:
        if times != (self.cron, self.every):
            self.pass_to(self.now - timedelta(seconds=1))
            self.known = self.now
        self.cron, self.every = times
        self.store()

    @rule()
    def operator_runs_it_now(self) -> None:
        with mock.patch.object(timezone, "now", self.read_clock):
            verbs.run_now("r")

    @rule()
    def jobs_end(self) -> None:
        Job.objects.update(state=State.COMPLETED, finished_at=timezone.now())

    @invariant()
    def each_due_tick_is_one_job_or_one_skip(self) -> None:
        entries = RecurringTick.objects.exclude(outcome=history.RUN_NOW).order_by("tick")
        covered: Counter[datetime] = Counter()
        for entry in entries:
            within = self.due[bisect_left(self.due, entry.tick) : bisect_right(self.due, entry.last_tick)]
            covered.update(within)
            assert min(len(within), 1001) == entry.number, (entry, self.due)
            assert bool(entry.job_id) == (entry.outcome == history.SUBMITTED)
        assert covered == Counter(dict.fromkeys(self.due, 1))
        ids = {entry.job_id for entry in RecurringTick.objects.exclude(job_id=None)}
        assert ids == set(Job.objects.values_list("id", flat=True))


def test_any_sequence_of_events_leaves_each_tick_one_job_or_one_reason(valkey):
    class Clean(Recurring):
        def teardown(self) -> None:
            RecurringJob.objects.all().delete()
            Job.objects.all().delete()
            valkey.client.flushall()

    run_state_machine_as_test(
        Clean,
        settings=settings(
            max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
