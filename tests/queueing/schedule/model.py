"""The schedule as a few dicts: what each move must come to, in the simplest words."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from queueing.conf import Limiter, QueueDef
from queueing.schedule.scripts import ScheduleEntry

TAGS = 2**40
HOUR = 3600

QUEUES = {
    q.name: q
    for q in (
        QueueDef(name="quick", priority=1, concurrency=3, global_concurrency=4, keep=(3, 2)),
        QueueDef(name="fair", priority=2, concurrency=5, owner_concurrency=2),
        QueueDef(name="limited", priority=3, concurrency=4, limiter=Limiter(max=4, duration=HOUR)),
    )
}


@dataclass
class Job:
    """An unfinished job, as the record has it."""

    id: str
    queue: str
    owner: str
    priority: int
    state: str = "waiting"
    tag: int = 0
    """Its virtual start."""
    token: str = ""
    stale: str = "c1/w/0"
    """A token that was once right, or never."""
    due: bool = False
    known: bool = True
    """Whether Redis has it."""

    @property
    def line(self) -> tuple[int, str]:
        """What the line is sorted by."""
        return self.priority * TAGS + self.tag, self.id

    @property
    def entry(self) -> ScheduleEntry:
        """What reconciliation would submit."""
        return ScheduleEntry(
            self.id, self.owner, self.priority, HOUR if self.state == "delayed" and not self.due else 0
        )


class Model:
    """The record, and what Redis should make of it."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.lose_redis()

    def lose_redis(self) -> None:
        """Everything but the record is gone."""
        self.now = dict.fromkeys(QUEUES, 0)  # virtual time
        self.ends: dict[tuple[str, str], int] = {}  # (queue, owner) -> virtual end of its last job
        self.starts: dict[str, set[str]] = {queue: set() for queue in QUEUES}
        """What the limiter's window counts: token and id of each."""
        self.live: dict[str, dict[str, Any]] = {queue: {} for queue in QUEUES}
        """What operators changed: limits, and `paused`."""
        self.idle = ""
        """The token under which the one worker that hears stands idle."""
        for job in self.jobs.values():
            job.known = False

    def under(self, queue: str) -> QueueDef:
        """The queue with the limits that hold now."""
        limits = {name: value for name, value in self.live[queue].items() if name != "paused"}
        return replace(QUEUES[queue], **limits)

    def of(self, queue: str) -> list[Job]:
        """The queue's unfinished jobs, by id."""
        return sorted((j for j in self.jobs.values() if j.queue == queue), key=lambda j: j.id)

    def known(self, queue: str, *states: str, owner: str | None = None) -> list[Job]:
        """Those of them that Redis has, by state and owner."""
        return [
            j
            for j in self.of(queue)
            if j.known and (not states or j.state in states) and owner in (None, j.owner)
        ]

    def chosen(self, queue: str, picks: list[tuple[int, bool]]) -> list[tuple[Job, str]]:
        """Jobs of the queue, each with its right token or one that is not."""
        jobs = sorted(self.of(queue), key=lambda job: job.state != "active")
        found = [(jobs[n % len(jobs)], right) for n, right in picks if jobs]
        return [(job, job.token if right else job.stale) for job, right in found]

    def winners(self, chosen: list[tuple[Job, str]]) -> tuple[list[Job], list[str]]:
        """The jobs whose claim holds, once each, and the ids that must be refused."""
        won: list[Job] = []
        refused: list[str] = []
        for job, token in chosen:
            if job.known and job.state == "active" and job.token == token and job not in won:
                won.append(job)
            else:
                refused.append(job.id)
        return won, refused

    def line(self, queue: str) -> list[Job]:
        """Everything that waits, first in line first."""
        return sorted(self.known(queue, "waiting"), key=lambda j: j.line)

    def stand_in_line(self, job: Job, *, charge: bool = True) -> None:
        """Behind the owner's own last job, but not before the present."""
        job.state, job.due, job.tag = "waiting", False, self.now[job.queue]
        if job.owner and charge:
            mine = job.queue, job.owner
            job.tag = max(job.tag, self.ends.get(mine, 0))
            self.ends[mine] = job.tag + 1

    def take_out(self, job: Job) -> None:
        """The job is over."""
        del self.jobs[job.id]
        if job.known and job.state == "waiting" and (job.queue, job.owner) in self.ends:
            self.ends[job.queue, job.owner] -= 1

    def end_claim(self, job: Job, state: str) -> None:
        """No longer active."""
        job.stale, job.token, job.state = job.token, "", state

    def running(self, queue: str, cluster: str) -> int:
        """Active jobs of a cluster."""
        return sum(j.token.startswith(f"{cluster}/") for j in self.known(queue, "active"))

    def claim(self, token: str, slots: int, *, idle: bool) -> list[Job]:
        """What a claim must hand out, queue by queue, each in line order."""
        for queue in QUEUES:
            for job in [j for j in self.known(queue, "delayed") if j.due]:
                self.stand_in_line(job)
        offered = {queue: self._may_start(queue, token.split("/")[0], slots) for queue in QUEUES}
        by_priority = sorted(QUEUES.values(), key=lambda q: q.priority)
        taken = {j.id for j in [j for q in by_priority for j in offered[q.name]][:slots]}
        chosen = [j for jobs in offered.values() for j in jobs if j.id in taken]
        for job in chosen:
            self._start(job, token)
        self.idle = token if idle and not chosen else ""
        return chosen

    def hand_over(self, job: Job, *, heard: bool) -> bool:
        """Whether a job that found nobody before it in line goes to the worker that stands idle."""
        cluster = self.idle.split("/")[0]
        if not self.idle or self._may_start(job.queue, cluster, 1) != [job]:
            return False
        if heard:
            self._start(job, self.idle)
        self.idle = ""
        return heard

    def _start(self, job: Job, token: str) -> None:
        job.state, job.token = "active", token
        self.now[job.queue] = max(self.now[job.queue], job.tag)
        if self.under(job.queue).limiter:
            self.starts[job.queue].add(token + job.id)

    def start_late(self, job: Job) -> bool:
        """Whether the limiter, which counts it in any case, has room for a claimed job."""
        limiter, starts = self.under(job.queue).limiter, self.starts[job.queue]
        if not limiter:
            return True
        others = len(starts - {job.token + job.id})
        starts.add(job.token + job.id)
        return others < limiter.max

    def _may_start(self, queue: str, cluster: str, slots: int) -> list[Job]:
        if self.live[queue].get("paused"):
            return []
        q = self.under(queue)
        room = min(slots, q.concurrency - self.running(q.name, cluster))
        if q.global_concurrency:
            room = min(room, q.global_concurrency - len(self.known(q.name, "active")))
        if q.limiter:
            room = min(room, q.limiter.max - len(self.starts[q.name]))
        busy = Counter(j.owner for j in self.known(q.name, "active"))
        chosen: list[Job] = []
        for job in self.line(q.name):
            if len(chosen) >= room:
                break
            if not job.owner or not q.owner_concurrency or busy[job.owner] < q.owner_concurrency:
                busy[job.owner] += 1
                chosen.append(job)
        return chosen

    def counters(self) -> dict[str, dict[str, str]]:
        """The hashes that count, as Redis should have them."""
        everywhere = [j for queue in QUEUES for j in self.known(queue)]
        active = [j for j in everywhere if j.state == "active"]
        found = {"running": _count(f"{j.token.split('/')[0]}/{j.queue}" for j in active)}
        for queue in QUEUES:
            found[f"q:{queue}:owner_unfinished"] = _count(
                j.owner for j in everywhere if j.owner and j.queue == queue
            )
            found[f"q:{queue}:owner_active"] = _count(j.owner for j in active if j.owner and j.queue == queue)
        return found


def _count(names: Iterable[str]) -> dict[str, str]:
    return {name: str(n) for name, n in Counter(names).items()}
