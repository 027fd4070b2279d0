"""Limits by key: no more jobs with the same key are active than the limit allows, and every job runs."""

from collections import Counter
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine as Machine
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Outcome, ScheduleEntry, queue_key

from .operations import claim, finish, numbers, run_all, token

HOUR = 3600
QUEUE = QueueDef(name="test", concurrency=50, owner_concurrency=3)
Limits = list[tuple[str, str, int]]


@pytest.fixture(autouse=True)
def engine(valkey: Any, settings: Any) -> None:
    settings.QUEUEING = settings.QUEUEING | {"LEASE": HOUR, "AGEING": HOUR}


def put(*limits: tuple[str, str, int], owner: str = "", many: int = 1, share: str = "") -> list[str]:
    """Submit jobs with these limits one by one, and return their ids."""
    ids = [f"{next(numbers):032x}" for _ in range(many)]
    for job_id in ids:
        entry = ScheduleEntry(job_id, owner, 5, 0.0, share, limits)
        assert redis_client.run(scripts.submit("test", [entry])) == 1
    return ids


def traces() -> list[str]:
    """Return the keys of the queue that hold something of its jobs."""
    names = (
        "waiting",
        "parked",
        "active",
        "limit_active",
        "limit_parked",
        "owner_active",
        "owner_unfinished",
    )
    return [name for name in names if redis_client.client().exists(queue_key("test", name))]


ACME, GLOBEX = ("tenant", "acme", 2), ("tenant", "globex", 2)


def test_claim_takes_no_more_of_a_key_than_its_maximum():
    acme, globex = put(ACME, many=5), put(GLOBEX, many=1)
    free = put()
    running = claim(QUEUE, 40)
    assert sorted(running) == sorted([*acme[:2], *globex, *free])
    assert claim(QUEUE, 40) == {}
    finish(QUEUE, {job: running[job] for job in acme[:1]})
    assert list(claim(QUEUE, 40)) == acme[2:3]


def test_claim_with_two_limits_needs_room_in_both():
    site = ("site", "x.org", 1)
    first, second, third = put(ACME, site), put(ACME, site), put(ACME)
    running = claim(QUEUE, 40)
    assert sorted(running) == first + third, "the second leaves its room of acme to the third"
    finish(QUEUE, running)
    assert list(claim(QUEUE, 40)) == second


def test_job_that_finds_another_limit_full_leaves_its_room_to_the_next():
    """It was parked behind one key, returns, and is parked behind another: the first key has room again."""
    site = ("site", "x.org", 1)
    (holder,), a = put(site), put(ACME, many=2)
    running = claim(QUEUE, 40)
    (both,), (rest,) = put(ACME, site), put(ACME)
    assert claim(QUEUE, 40) == {}
    finish(QUEUE, {a[0]: running[a[0]]})
    assert list(claim(QUEUE, 40)) == [rest]
    finish(QUEUE, {holder: running[holder], a[1]: running[a[1]]})
    assert list(claim(QUEUE, 40)) == [both]


def test_jobs_with_limits_count_for_their_owner_and_share():
    put(ACME, owner="u:1", many=2)
    put(GLOBEX, owner="u:1")
    put(ACME, owner="s:1", share="n:1")
    put(GLOBEX, owner="s:1", share="n:1")
    counts = redis_client.run(scripts.counts("test", "u:1"))
    assert (counts.waiting, counts.owner_unfinished) == (5, 3)
    counts = redis_client.run(scripts.counts("test", "s:1", share="n:1"))
    assert (counts.owner_unfinished, counts.share_unfinished) == (2, 2)
    assert len(run_all(QUEUE)) == 5
    assert traces() == []


def test_owner_with_limits_takes_turns_with_others():
    a, b = put(("tenant", "a", 50), owner="u:1", many=4), put(owner="u:2", many=4)
    narrow = QueueDef(name="test", concurrency=1)
    assert run_all(narrow) == [job for pair in zip(a, b, strict=True) for job in pair]


def test_positions_say_for_which_limit_a_job_waits():
    jobs, (free,) = put(ACME, many=5), put()
    claim(QUEUE, 2)
    claim(QUEUE, 1)
    positions = redis_client.run(scripts.positions("test", [*jobs, free]))
    assert [position.state for position in positions] == ["active"] * 2 + ["waiting"] * 3 + ["active"]
    assert [(position.limit, position.ahead) for position in positions[2:5]] == [
        ("tenant", n) for n in range(3)
    ]
    assert redis_client.run(scripts.counts("test")).waiting == 3


def test_submit_hands_no_job_beyond_its_limit_to_an_idle_worker():
    (first,) = put(("tenant", "acme", 1))
    channel = redis_client.client().pubsub()
    channel.subscribe("notify:w")
    call = scripts.claim([QUEUE], token(), 9, channel="notify:w", idle=True)
    assert [job.id for job in redis_client.run(call).jobs] == [first]
    put(("tenant", "acme", 1))
    put(("tenant", "globex", 1))
    assert redis_client.run(scripts.counts("test")).active == 2


def test_older_code_takes_limits_for_a_part_of_the_owner():
    """A rolling deploy: the pattern of older scripts reads the value, and their moves lose no job."""
    (job,) = put(ACME, owner="u:1")
    read = "return {string.match(redis.call('HGET', KEYS[1], ARGV[1]), '^(.-)\\31(%d+)\\31(%d+)$')}"
    owner, priority, _ = redis_client.client().eval(read, 1, scripts.key("jobs"), job)
    assert (owner, priority) == ("u:1\x1dtenant\x1cacme\x1c2", "5")


def test_recount_brings_back_jobs_whose_active_ones_older_code_ended():
    jobs = put(ACME, many=4)
    running = claim(QUEUE, 40)
    claim(QUEUE, 40)
    client = redis_client.client()
    for job in running:  # what finish.lua of older code does
        client.zrem(queue_key("test", "active"), job)
        client.hdel(scripts.key("claims"), job)
        client.hdel(scripts.key("jobs"), job)
    redis_client.run(scripts.recount("test", everything=True))
    started = claim(QUEUE, 40)
    finish(QUEUE, started)
    assert [*started, *run_all(QUEUE)] == jobs[2:]


def test_recount_brings_back_jobs_that_older_code_parked_behind_owner_and_limits():
    jobs = put(ACME, owner="u:1", many=3)
    client = redis_client.client()
    for job in jobs:  # what claim.lua of older code does
        score = int(client.zscore(queue_key("test", "waiting"), job))
        client.zrem(queue_key("test", "waiting"), job)
        group = "u:1\x1dtenant\x1cacme\x1c2"
        client.zadd(queue_key("test", "parked"), {f"{group}\x1f{score:016}\x1f{job}": 0})
    assert claim(QUEUE, 40) == {}
    redis_client.run(scripts.recount("test", everything=True))
    assert run_all(QUEUE) == jobs


def test_suspect_waits_for_room_in_its_limits():
    claim_of = claim(QUEUE, 40) if put(("tenant", "acme", 1)) else {}
    suspect = ScheduleEntry(f"{next(numbers):032x}", "", 5, limits=[("tenant", "acme", 1)])
    call = scripts.claim_suspect(QUEUE, "c1/w/alone", suspect)
    assert redis_client.run(call).jobs == []
    finish(QUEUE, claim_of)
    assert [job.id for job in redis_client.run(call).jobs] == [suspect.id]


keys = st.lists(
    st.tuples(st.sampled_from(["tenant", "site"]), st.sampled_from("ab")),
    max_size=2,
    unique_by=lambda k: k[0],
)
#: The maximum of each key, the same for all jobs.
MOST = {("tenant", "a"): 1, ("tenant", "b"): 2, ("site", "a"): 1, ("site", "b"): 3}
picks = st.lists(st.integers(0, 30), min_size=1, max_size=4)


class LimitMachine(Machine):
    """Jobs with up to two limits, and the moves of the schedule in any order."""

    client: Any

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, ScheduleEntry] = {}
        self.active: dict[str, str] = {}
        self.delayed: set[str] = set()
        self.flush()

    def flush(self) -> None:
        self.client.flushall()
        self.client.set(scripts.key("reconciled"), 0)

    @rule(owner=st.sampled_from(["", "u:1", "u:2"]), keys=keys, many=st.integers(1, 3))
    def submit(self, owner: str, keys: list[tuple[str, str]], many: int) -> None:
        limits = [(*key, MOST[key]) for key in keys]
        entries = [ScheduleEntry(f"{next(numbers):032x}", owner, 5, limits=limits) for _ in range(many)]
        assert redis_client.run(scripts.submit("test", entries)) == many
        self.jobs |= {entry.id: entry for entry in entries}

    @rule(slots=st.sampled_from([1, 2, 30]))
    def claim(self, slots: int) -> None:
        is_done = False
        while not is_done:
            own_token = token()
            reply = redis_client.run(scripts.claim([QUEUE], own_token, slots))
            got = {job.id: own_token for job in reply.jobs}
            assert not set(got) & set(self.active)
            self.active |= got
            if slots < 30:
                return
            is_done = not got and reply.again_in != 0
        for job in self.jobs.keys() - self.active.keys() - self.delayed:
            assert self.is_full(self.jobs[job]), "a job waits though all its limits have room"

    def is_full(self, job: ScheduleEntry) -> bool:
        """Return whether the owner of a job, or one of its limits, is at its maximum."""
        active = [self.jobs[job] for job in self.active]
        limits = Counter(chain.from_iterable(other.limits for other in active))
        owned = sum(other.owner == job.owner != "" for other in active)
        return owned >= QUEUE.owner_concurrency or any(limits[limit] >= limit[2] for limit in job.limits)

    def some(self, picks: list[int]) -> dict[str, str]:
        """Return some active jobs."""
        ids = sorted(self.active)
        return {job: self.active[job] for job in {ids[n % len(ids)] for n in picks if ids}}

    @rule(picks=picks)
    def finish(self, picks: list[int]) -> None:
        if some := self.some(picks):
            outcomes = [Outcome(job, token, "completed", 1.0) for job, token in some.items()]
            assert redis_client.run(scripts.finish(QUEUE, outcomes)) == []
        for job in some:
            del self.active[job], self.jobs[job]

    @rule(picks=picks, behind=st.booleans())
    def release(self, picks: list[int], behind: bool) -> None:
        some = self.some(picks)
        assert redis_client.run(scripts.release("test", some.items(), behind=behind)) == []
        for job in some:
            del self.active[job]

    @rule(picks=picks)
    def retry_later(self, picks: list[int]) -> None:
        some = self.some(picks)
        rows = [(job, token, HOUR) for job, token in some.items()]
        assert redis_client.run(scripts.retry_later("test", rows)) == []
        for job in some:
            del self.active[job]
        self.delayed |= set(some)

    @rule()
    def promote(self) -> None:
        redis_client.run(scripts.promote("test", sorted(self.delayed)))
        self.delayed.clear()

    @rule(picks=picks)
    def remove(self, picks: list[int]) -> None:
        ids = sorted(self.jobs)
        gone = {ids[n % len(ids)] for n in picks[:2] if ids}
        assert all(redis_client.run(scripts.remove("test", sorted(gone))))
        for job in gone:
            del self.jobs[job]
            self.active.pop(job, None)
            self.delayed.discard(job)

    @rule(really=st.sampled_from([False] * 4 + [True]), everything=st.booleans())
    def lose_and_restore(self, really: bool, everything: bool) -> None:
        if really and everything:
            self.flush()
            self.delayed.clear()
        elif really:
            self.client.delete(queue_key("test", "limit_active"), queue_key("test", "limit_parked"))
            self.client.delete(queue_key("test", "parked"))
        active = [self.jobs[job] for job in self.active]
        rows = [(job.id, job.account, job.priority, self.active[job.id]) for job in active]
        redis_client.run(scripts.restore_active("test", rows))
        if ids := sorted(self.jobs):
            unknown = redis_client.run(scripts.repair("test", ids)).unknown
            assert not set(unknown) & set(self.active)
            redis_client.run(scripts.submit("test", [self.jobs[job] for job in unknown]))
        redis_client.run(scripts.recount("test", everything=True))

    @invariant()
    def no_key_is_above_its_maximum_and_each_counter_is_right(self) -> None:
        active = Counter(chain.from_iterable(self.jobs[job].limits for job in self.active))
        assert all(number <= most for (_, _, most), number in active.items())
        wanted = {f"\x1d{name}\x1c{key}": str(number) for (name, key, _), number in active.items()}
        assert self.client.hgetall(queue_key("test", "limit_active")) == wanted
        assert self.client.zcard(queue_key("test", "active")) == len(self.active)

    def teardown(self) -> None:
        """Run all that is left: no job waits for a key that has room."""
        self.promote()
        for _ in range(200):
            self.claim(30)
            if not self.jobs:
                break
            assert self.active, f"nothing runs, but {len(self.jobs)} jobs are left"
            self.finish([0])
        assert not self.jobs
        assert traces() == []


@pytest.mark.timeout(900)  # passing takes seconds, shrinking a failure takes minutes
def test_random_moves_keep_every_limit_and_every_job_runs(valkey):
    machine = type("Machine", (LimitMachine,), {"client": valkey.client, "TestCase": None})
    checks = list(HealthCheck)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=checks
        ),
    )
