"""A state machine that makes each move of the schedule in Redis and in a model, and compares the two."""

import hashlib
import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine as Machine
from hypothesis.stateful import initialize, invariant, rule

from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Outcome, ScheduleEntry, key, queue_key

from .invariants import (
    check_counters,
    check_counts_and_positions,
    check_jobs_are_in_one_place,
    check_limits,
    read_redis,
)
from .model import HOUR, PROVIDER, QUEUES, TAGS, WITH_PROVIDER, Job, Model, digest_of, need_of
from .operations import ended_leases
from .strategies import clusters, limits, owners, picks, queues, rarely, specs, weights

#: The channel of the one worker that may be idle.
CHANNEL = "notify:w"
#: Maximum unfinished jobs of a queue, few enough for one claim to search all of them.
MAX_JOBS = 10


class ScheduleMachine(Machine):
    """The rules each make one move in Redis and in the model. After each move the two must agree."""

    client: Any

    def __init__(self) -> None:
        super().__init__()
        self.flush_redis()
        self.subscription = self.client.pubsub()
        self.subscription.subscribe(CHANNEL)
        self.next_message("subscribe")
        self.listening = True
        self.model = Model()
        self.made = 0
        self.claims = 0

    def teardown(self) -> None:
        self.subscription.close()

    @rule(queue=queues, specs=specs)
    def submit(self, queue: str, specs: list[tuple[str, int, bool]]) -> None:
        new = []
        for owner, priority, delayed in specs[: max(0, MAX_JOBS - len(self.model.of(queue)))]:
            self.made += 1
            job_id = hashlib.md5(str(self.made).encode()).hexdigest()  # ids in no particular order
            new.append(Job(job_id, queue, owner, priority, "delayed" if delayed else "waiting"))
        self.model.jobs |= {job.id: job for job in new}
        self.put(queue, new)

    @rule(cluster=clusters, queue=queues, owners=st.lists(owners, min_size=1, max_size=3))
    def submit_one_by_one_to_empty_queues(self, cluster: str, queue: str, owners: list[str]) -> None:
        for name in QUEUES:
            self.drain(name, really=True)
        self.claim(cluster, 9, idle=True)
        for owner in owners:
            self.submit(queue, [(owner, 1, False)])

    def put(self, queue: str, new: list[Job]) -> None:
        """Submit jobs that Redis does not know. The idle worker may be handed one."""
        assert redis_client.run(scripts.submit(queue, [job.entry for job in new])) == len(new)
        for job in new:
            job.known = True
        in_line = [job for job in new if job.entry.delay == 0]
        self.model.put_in_line(in_line)
        token = self.model.idle
        if len(in_line) == 1 and (job := self.model.hand_over(queue, listening=self.listening)):
            assert json.loads(self.next_message("message")[4:])[:3] == [token, queue, job.id]

    def next_message(self, kind: str) -> str:
        """Return the next message of this kind on the channel of the worker that may be idle."""
        while not (message := self.subscription.get_message(timeout=5)) or message["type"] != kind:
            assert message is None or message["type"] != "message", message
        return message["data"]

    @rule(really=rarely)
    def stop_or_start_idle_worker(self, really: bool) -> None:
        """Stop the worker that may be idle, or start it again under its name."""
        if really == self.listening:
            self.listening = not really
            (self.subscription.unsubscribe if really else self.subscription.subscribe)(CHANNEL)
            self.next_message("unsubscribe" if really else "subscribe")

    @initialize(every=st.fixed_dictionaries(dict.fromkeys(QUEUES, specs)))
    def start_with_jobs(self, every: dict[str, list[tuple[str, int, bool]]]) -> None:
        for queue, some in every.items():
            self.submit(queue, some)

    @rule(cluster=clusters, slots=st.integers(1, 2))
    def claim_a_few(self, cluster: str, slots: int) -> None:
        self.claim(cluster, slots, idle=True)

    @rule(
        cluster=clusters, slots=st.integers(1, 9), idle=st.booleans(), busy=st.booleans(), able=st.booleans()
    )
    def claim(self, cluster: str, slots: int, idle: bool, busy: bool = False, able: bool = False) -> None:
        self.claims += 1
        token = f"{cluster}/w/{self.claims}"
        lines = [queue for queue in QUEUES if self.client.zcard(queue_key(queue, "waiting"))]
        got = redis_client.run(
            scripts.claim(
                list(QUEUES.values()),
                token,
                slots,
                channel=CHANNEL,
                idle=idle,
                busy=busy,
                able={queue: [digest_of(queue), "0" * 40] for queue in QUEUES} if able else None,
            )
        ).jobs
        wanted = self.model.claim(token, slots, idle=idle, busy=busy, able=able, lines=lines)
        assert [(job.id, job.queue) for job in got] == [(job.id, job.queue) for job in wanted]
        assert all(job.watched == (self.model.is_watched and job.queue in WITH_PROVIDER) for job in got)
        for queue in {job.queue for job in got}:
            owners = {self.model.jobs[job.id].owner for job in got if job.queue == queue}
            check_limits(self.model, queue, cluster, owners)

    @rule(queue=queues, picks=picks)
    def start_late(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        for job in [job for job, _ in self.model.chosen(queue, picks) if job.known and job.state == "active"]:
            wait = redis_client.run(scripts.count_late_start(QUEUES[queue], job.id, job.token))
            assert (wait == 0) == self.model.start_late(job)
            assert wait <= HOUR + 1

    @rule(queue=queues, picks=picks, state=st.sampled_from(["completed", "failed", "gone"]))
    def finish(self, queue: str, picks: list[tuple[int, bool]], state: str) -> None:
        chosen = self.model.chosen(queue, picks)
        won, refused = self.model.winners(chosen)
        outcomes = [Outcome(job.id, token, state, 1.0) for job, token in chosen]
        if outcomes:
            assert sorted(redis_client.run(scripts.finish(QUEUES[queue], outcomes))) == sorted(refused)
        for job in won:
            self.model.take_out(job)
        is_listed = self.model.idle and queue in self.model.idle_queues
        if won and is_listed and self.client.zcard(queue_key(queue, "waiting")):
            self.model.idle = ""
            assert not self.listening or self.next_message("message") == f"wake:{queue}"

    @rule(queue=queues, picks=picks)
    def retry_later(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        chosen = self.model.chosen(queue, picks)
        won, refused = self.model.winners(chosen)
        rows = [(job.id, token, HOUR) for job, token in chosen]
        assert redis_client.run(scripts.retry_later(queue, rows)) == refused
        for job in won:
            self.model.end_claim(job, "delayed")

    @rule(queue=queues, picks=picks)
    def park_unable(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        chosen = self.model.chosen(queue, picks)
        won, refused = self.model.winners(chosen)
        rows = [(job.id, token, need_of(queue)) for job, token in chosen]
        assert redis_client.run(scripts.park_unable(queue, rows)) == refused
        for job in won:
            self.model.park_unable(job)

    @rule(queue=queues, picks=picks)
    def release(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        chosen = self.model.chosen(queue, picks)
        won, refused = self.model.winners(chosen)
        assert redis_client.run(scripts.release(queue, [(job.id, token) for job, token in chosen])) == refused
        for job in won:
            self.model.end_claim(job, "waiting")
            self.model.put_in_line([job], charge=False)

    @rule(queue=queues, pick=st.integers(0, 50))
    def release_and_let_others_pass(self, queue: str, pick: int) -> None:
        if not (active := self.model.known(queue, "active")):
            return
        job = active[pick % len(active)]
        band = job.priority * TAGS, (job.priority + 1) * TAGS - 1
        assert redis_client.run(scripts.release(queue, [(job.id, job.token)], behind=True)) == []
        # Afterwards: the end of the claim may have brought a parked job of the owner back, which goes first.
        line = self.client.zrangebyscore(queue_key(queue, "waiting"), *band, 0, 2, withscores=True)
        line = [entry for entry in line if entry[0] != job.id][:1]
        self.model.end_claim(job, "waiting")
        self.model.put_in_line([job], charge=False)
        turn = 840 if queue in self.model.weighted else 1
        job.tag = max(job.tag, *(int(score) % TAGS for _, score in line), 0) + turn

    def report(self, job_id: str, cause: str) -> None:
        ends = [scripts.ProviderEnd(job_id, cause, HOUR)]
        redis_client.run(scripts.report(PROVIDER, WITH_PROVIDER, ends))

    @rule(really=rarely)
    def refuse_calls(self, really: bool) -> None:
        """The provider asks for a wait: its breaker opens, or stays open for longer."""
        if really:
            self.made += 1
            self.report(f"refused{self.made}", "cooldown")
            self.model.is_watched = self.model.is_open = True
            self.model.probe_is_due = False

    @rule()
    def make_probe_due(self) -> None:
        if self.model.is_open:
            self.client.hset(key(f"breaker:{PROVIDER}"), "until", 1)
            self.model.probe_is_due = True

    @rule(pick=st.integers(0, 50), really=rarely)
    def answer_call(self, pick: int, really: bool) -> None:
        """The provider answers: a probe, which closes its breaker, or another job, which does not."""
        probes = sorted(self.model.probes)
        if not self.model.is_watched or not (really or probes):
            return
        self.report(probes[pick % len(probes)] if probes else "another", "ok")
        if probes:
            self.model.is_open = self.model.probe_is_due = False
            self.model.probes = set()
            for queue in WITH_PROVIDER:  # more jobs would start step by step
                self.client.hdel(queue_key(queue, "meta"), "cooldown")

    @rule(queue=queues, picks=picks)
    def submit_known_jobs_and_renew(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        known = [ScheduleEntry(job.id, "b", 1, 0) for job in self.model.known(queue)]
        assert redis_client.run(scripts.submit(queue, known)) == 0
        chosen = self.model.chosen(queue, picks[:1])
        _, refused = self.model.winners(chosen)
        assert redis_client.run(scripts.renew(queue, [(job.id, token) for job, token in chosen])) == refused

    @rule(queue=queues, picks=picks)
    def expire_leases(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        active = self.model.known(queue, "active")
        lost = {job.id: job for n, _ in picks if active for job in [active[n % len(active)]]}
        for job_id in lost:
            self.client.zadd(queue_key(queue, "active"), {job_id: 1})
        assert ended_leases(queue) == {job.id: job.token for job in lost.values()}
        everyone = [(job.id, job.token) for job in active]
        refused = redis_client.run(scripts.release(queue, everyone, expired=True))
        assert refused == [job.id for job in active if job.id not in lost]
        for job in active:
            if job.id in lost:
                self.model.end_claim(job, "waiting")
                self.model.put_in_line([job], charge=False)

    @rule(queue=queues, picks=picks)
    def remove(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        self.take_out(queue, [job for job, _ in self.model.chosen(queue, picks)])

    @rule(queue=queues, really=rarely)
    def drain(self, queue: str, really: bool) -> None:
        if really:
            self.take_out(queue, [job for job in self.model.of(queue) if job.state != "active"])

    def take_out(self, queue: str, jobs: list[Job]) -> None:
        words = {"waiting": 1, "delayed": 2, "active": 3}
        jobs = list({job.id: job for job in jobs}.values())
        wanted = [words[job.state] if job.known else 0 for job in jobs]
        assert redis_client.run(scripts.remove(queue, [*(job.id for job in jobs), "f" * 32])) == [*wanted, 0]
        for job in jobs:
            self.model.take_out(job)

    @rule(queue=queues, picks=picks)
    def promote(self, queue: str, picks: list[tuple[int, bool]]) -> None:
        chosen = list({job.id: job for job, _ in self.model.chosen(queue, picks)}.values())
        delayed = [job for job in chosen if job.known and job.state == "delayed"]
        assert redis_client.run(scripts.promote(queue, [job.id for job in chosen])) == len(delayed)
        self.model.put_in_line(delayed)

    @rule(queue=queues, pick=st.integers(0, 50))
    def make_delayed_job_due(self, queue: str, pick: int) -> None:
        if delayed := self.model.known(queue, "delayed"):
            job = delayed[pick % len(delayed)]
            self.client.zadd(queue_key(queue, "delayed"), {job.id: 1})
            job.due = True

    @rule(queue=queues, limits=limits, paused=rarely, late=rarely)
    def set_overrides(self, queue: str, limits: dict[str, Any], paused: bool, late: bool) -> None:
        live = limits | ({"paused": True} if paused else {})
        current = self.client.hget(queue_key(queue, "meta"), "overrides_version") or ""
        version = "of another writer" if late else current
        changed = redis_client.run(scripts.set_overrides(queue, live, version))
        assert changed == (None if late else live != self.model.live[queue])
        if not late:
            self.model.live[queue] = live

    @rule(weights=weights, really=rarely)
    def set_weights(self, weights: dict[str, int], really: bool) -> None:
        if really:
            version = self.client.hget(key(scripts.WEIGHTS), "") or ""
            rows = [scripts.Weight(name.strip("\x1e"), "\x1e" in name, n) for name, n in weights.items()]
            assert (
                redis_client.run(scripts.set_weights(QUEUES, rows, "of another writer", all_of_them=True))
                is None
            )
            assert redis_client.run(scripts.set_weights(QUEUES, rows, version, all_of_them=True)) is not None
            self.model.set_weights(weights)

    @rule(really=rarely)
    def lose_redis(self, really: bool) -> None:
        if really:
            self.flush_redis()
            self.model.lose_redis()

    def flush_redis(self) -> None:
        """Delete all data of Redis, except the key without which no job may be claimed."""
        self.client.flushall()
        self.client.set(key("reconciled"), 0)

    @rule(queue=queues, page=st.integers(1, 8))
    def reconcile(self, queue: str, page: int) -> None:
        rows = self.model.of(queue)[:page]
        idle = [job for job in rows if job.state != "active"]
        active = [job for job in rows if job.state == "active"]
        unknown = [job for job in active if not job.known]
        known = [job.entry for job in idle if job.known]
        assert redis_client.run(scripts.submit(queue, known)) == 0
        self.put(queue, [job for job in idle if not job.known])
        claims = [(job.id, job.owner, job.priority, job.token) for job in active]
        assert redis_client.run(scripts.restore_active(queue, claims)) == len(unknown)
        for job in unknown:
            job.known = True

    @invariant()
    def redis_and_model_agree(self) -> None:
        found = read_redis(self.client)
        check_jobs_are_in_one_place(found, self.model)
        check_counters(found, self.model)
        check_counts_and_positions(found, self.model, sorted(QUEUES)[(self.made + self.claims) % len(QUEUES)])
