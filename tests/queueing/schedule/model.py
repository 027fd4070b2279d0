"""The schedule as a few dicts: the effect of each move, as simple as possible."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from queueing.conf import Limiter, QueueDef
from queueing.schedule.scripts import ScheduleEntry

TAGS = 2**40
HOUR = 3600
#: The provider of these queues may fail.
PROVIDER, WITH_PROVIDER = "p", ("quick", "fair")

QUEUES = {
    q.name: q
    for q in (
        QueueDef(name="quick", priority=1, concurrency=3, global_concurrency=4, keep=(3, 2)),
        QueueDef(name="fair", priority=2, concurrency=5, owner_concurrency=2),
        QueueDef(name="limited", priority=3, concurrency=4, limiter=Limiter(max=4, duration=HOUR)),
    )
}


def need_of(queue: str) -> str:
    """Return what all jobs of the queue need of a worker, as JSON."""
    return f'["{queue}","kind",1,[]]'


def digest_of(queue: str) -> str:
    """Return the digest of the queue's need."""
    return hashlib.sha1(need_of(queue).encode(), usedforsecurity=False).hexdigest()


@dataclass
class Job:
    """An unfinished job on record."""

    id: str
    queue: str
    owner: str
    priority: int
    state: str = "waiting"
    tag: int = 0
    """The virtual start of the job."""
    token: str = ""
    stale: str = "c1/w/0"
    """A token that is not the right one, or no longer."""
    due: bool = False
    known: bool = True
    """Whether Redis knows the job."""
    needs: bool = False
    """Whether the job is parked for a worker that can do it."""

    @property
    def payer(self) -> str:
        """The share of the owner, or the owner."""
        _, separator, share = self.owner.partition("\x1e")
        return separator + share or self.owner

    @property
    def line(self) -> tuple[int, str]:
        """The key by which the line is sorted."""
        return self.priority * TAGS + self.tag, self.id

    @property
    def entry(self) -> ScheduleEntry:
        """The entry that reconciliation would submit."""
        return ScheduleEntry(
            self.id, self.owner, self.priority, HOUR if self.state == "delayed" and not self.due else 0
        )


class Model:
    """The record, and the state that Redis should have."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.lose_redis()

    def lose_redis(self) -> None:
        """Forget everything except the record."""
        self.now = dict.fromkeys(QUEUES, 0)  # virtual time
        self.ends: dict[tuple[str, str], int] = {}  # (queue, owner) -> virtual end of its last job
        self.weights: dict[str, int] = {}
        self.weighted = set[str]()
        """The queues in which weights count."""
        self.starts: dict[str, set[str]] = {queue: set() for queue in QUEUES}
        """The starts in the limiter's window: token and id of each."""
        self.live: dict[str, dict[str, Any]] = {queue: {} for queue in QUEUES}
        """The changes of operators: limits, and `paused`."""
        self.idle, self.idle_queues = "", set[str]()
        """The token of the worker that is listed as idle, or empty, and the queues that it is listed with."""
        self.is_watched = self.is_open = self.probe_is_due = False
        """Whether the provider has failed, its breaker is open, and a job may try it."""
        self.probing = False
        self.probes: set[str] = set()
        """The ids of the jobs that try it."""
        for job in self.jobs.values():
            job.known = job.needs = False

    def under(self, queue: str) -> QueueDef:
        """Return the queue with the limits that are in force."""
        limits = {name: value for name, value in self.live[queue].items() if name != "paused"}
        return replace(QUEUES[queue], **limits)

    def of(self, queue: str) -> list[Job]:
        """Return the queue's unfinished jobs, by id."""
        return sorted((j for j in self.jobs.values() if j.queue == queue), key=lambda j: j.id)

    def known(self, queue: str, *states: str, owner: str | None = None) -> list[Job]:
        """Return those of them that Redis knows, filtered by state and owner."""
        return [
            j
            for j in self.of(queue)
            if j.known and (not states or j.state in states) and owner in (None, j.owner)
        ]

    def chosen(self, queue: str, picks: list[tuple[int, bool]]) -> list[tuple[Job, str]]:
        """Return the picked jobs of the queue, each with the right or a wrong token."""
        jobs = sorted(self.of(queue), key=lambda job: job.state != "active")
        found = [(jobs[n % len(jobs)], right) for n, right in picks if jobs]
        return [(job, job.token if right else job.stale) for job, right in found]

    def winners(self, chosen: list[tuple[Job, str]]) -> tuple[list[Job], list[str]]:
        """Return the jobs whose claim holds, once each, and the ids that must be refused."""
        won: list[Job] = []
        refused: list[str] = []
        for job, token in chosen:
            if job.known and job.state == "active" and job.token == token and job not in won:
                won.append(job)
            else:
                refused.append(job.id)
        return won, refused

    def line(self, queue: str) -> list[Job]:
        """Return all waiting jobs in line order."""
        return sorted(self.known(queue, "waiting"), key=lambda j: j.line)

    def set_weights(self, weights: dict[str, int]) -> None:
        """Set all weights."""
        self.weights = {name: weight for name, weight in weights.items() if weight != 1}
        if self.weights:
            self.weighted = {*QUEUES}

    def cost(self, queue: str, payer: str) -> int:
        """Return the virtual time of one job."""
        return int(840 / self.weights.get(payer, 1) + 0.5) if queue in self.weighted else 1

    def put_in_line(self, jobs: list[Job], *, charge: bool = True) -> None:
        """Put each job of a queue behind the last one of its owner, but not before the present."""
        for queue in {job.queue for job in jobs} & self.weighted:
            if not [job for job in self.known(queue, "waiting", "active") if job not in jobs]:
                self._begin_busy_period(queue)
        for job in jobs:
            job.state, job.due, job.tag = "waiting", False, self.now[job.queue]
            if job.owner and charge:
                key = job.queue, job.payer
                job.tag = max(job.tag, self.ends.get(key, 0))
                self.ends[key] = job.tag + self.cost(*key)

    def _begin_busy_period(self, queue: str) -> None:
        self.now[queue] = 0
        self.ends = {key: end for key, end in self.ends.items() if key[0] != queue}
        if not self.weights:
            self.weighted -= {queue}

    def take_out(self, job: Job) -> None:
        """Remove a finished job."""
        del self.jobs[job.id]
        if job.known and job.state == "waiting" and (job.queue, job.payer) in self.ends:
            self.ends[job.queue, job.payer] -= self.cost(job.queue, job.payer)

    def end_claim(self, job: Job, state: str) -> None:
        """End the claim of an active job."""
        job.stale, job.token, job.state = job.token, "", state

    def running(self, queue: str, cluster: str) -> int:
        """Return the number of active jobs of a cluster."""
        return sum(j.token.startswith(f"{cluster}/") for j in self.known(queue, "active"))

    def claim(
        self,
        token: str,
        slots: int,
        *,
        idle: bool,
        busy: bool = False,
        able: bool = False,
        lines: Iterable[str] = (),
    ) -> list[Job]:
        """Return the jobs that a claim must take, queue by queue, each in line order.

        A worker that is `able` also takes those that others could not do. `lines` are the queues in whose
        line are jobs that are not parked.
        """
        lines = {*lines, *(j.queue for j in self.jobs.values() if j.known and j.state == "delayed" and j.due)}
        for queue in QUEUES:
            self.put_in_line([j for j in self.known(queue, "delayed") if j.due])
        self.probing = not self.probe_is_due  # by another queue of this claim, or not yet
        offered = {
            queue: self._may_start(queue, token.split("/")[0], slots, able) if able or queue in lines else []
            for queue in QUEUES
        }
        by_priority = sorted(QUEUES.values(), key=lambda q: q.priority)
        taken = {j.id for j in [j for q in by_priority for j in offered[q.name]][:slots]}
        chosen = [j for jobs in offered.values() for j in jobs if j.id in taken]
        for job in chosen:
            if self.is_open and job.queue in WITH_PROVIDER:
                self.probes.add(job.id)
                self.probe_is_due = False
            self._start(job, token)
        self.idle = token if idle and len(chosen) < slots else ""
        looked_at = [queue for queue in QUEUES if busy and (able or queue in lines)]
        self.idle_queues = {*QUEUES} - {queue for queue in looked_at if self._is_full(queue, token)}
        return chosen

    def _is_full(self, queue: str, token: str) -> bool:
        """Return whether the cluster may run no more jobs of the queue."""
        most = self.under(queue).concurrency
        return not self.live[queue].get("paused") and self.running(queue, token.split("/")[0]) >= most

    def hand_over(self, queue: str, *, listening: bool) -> Job | None:
        """Return the job that goes to the idle worker."""
        if not self.idle or queue not in self.idle_queues:
            return None
        if self.is_watched and queue in WITH_PROVIDER:
            return None  # a claim starts probes
        if not (found := self._may_start(queue, self.idle.split("/")[0], 1)):
            return None
        if listening:
            self._start(found[0], self.idle)
        self.idle = ""
        return found[0] if listening else None

    def _start(self, job: Job, token: str) -> None:
        job.state, job.token, job.needs = "active", token, False
        self.now[job.queue] = max(self.now[job.queue], job.tag)
        if self.under(job.queue).limiter:
            self.starts[job.queue].add(token + job.id)

    def start_late(self, job: Job) -> bool:
        """Return whether the limiter, which counts the job in any case, lets a claimed job start."""
        limiter, starts = self.under(job.queue).limiter, self.starts[job.queue]
        if not limiter:
            return True
        others = len(starts - {job.token + job.id})
        starts.add(job.token + job.id)
        return others < limiter.max

    def park_unable(self, job: Job) -> None:
        """Park an active job that its worker cannot do."""
        self.starts[job.queue].discard(job.token + job.id)
        self.end_claim(job, "waiting")
        job.tag, job.needs = self.now[job.queue], True

    def _may_start(self, queue: str, cluster: str, slots: int, able: bool = False) -> list[Job]:
        if self.live[queue].get("paused"):
            return []
        q = self.under(queue)
        room = min(slots, q.concurrency - self.running(q.name, cluster))
        if q.global_concurrency:
            room = min(room, q.global_concurrency - len(self.known(q.name, "active")))
        if q.limiter:
            room = min(room, q.limiter.max - len(self.starts[q.name]))
        if room > 0 and self.is_open and queue in WITH_PROVIDER:
            room, self.probing = 0 if self.probing else 1, True
        active = Counter(j.payer for j in self.known(q.name, "active"))
        chosen: list[Job] = []
        line = self.line(q.name)
        unable = [job for job in line if job.needs][: max(0, room) if able else 0]
        for job in line:
            if len(chosen) >= room:
                break
            if job.needs and job not in unable:
                continue
            if not job.owner or not q.owner_concurrency or active[job.payer] < q.owner_concurrency:
                active[job.payer] += 1
                chosen.append(job)
            else:
                job.needs = False  # it is now parked with the jobs of its owner
        return chosen

    def counters(self) -> dict[str, dict[str, str]]:
        """Return the hashes of counters as Redis should have them."""
        everywhere = [j for queue in QUEUES for j in self.known(queue)]
        active = [j for j in everywhere if j.state == "active"]
        found = {"running": _count(f"{j.token.split('/')[0]}/{j.queue}" for j in active)}
        for queue in QUEUES:
            owned = [j for j in everywhere if j.owner and j.queue == queue]
            names = (name for j in owned for name in {j.owner, j.payer})
            found[f"q:{queue}:owner_unfinished"] = _count(names)
            found[f"q:{queue}:owner_active"] = _count(j.payer for j in owned if j.state == "active")
        return found


def _count(names: Iterable[str]) -> dict[str, str]:
    return {name: str(n) for name, n in Counter(names).items()}
