"""The world around Redis: visitors who send messages, and workers that claim, run and end jobs.

Workers follow the rules of `queueing/worker/`: a worker claims when it is notified and when a slot becomes
free, one claim at a time, and ends jobs in batches. Handlers are times drawn at random.
"""

import heapq
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from queueing.conf import QueueDef, get_conf
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.schedule import redis_client, scripts

from .load import KINDS, TITLE, TITLES, WORK, Kind
from .redis_server import Connection
from .service_times import heartbeat_of

#: Seconds on the network in each direction, between a process and Redis.
NETWORK = 0.0001
#: Seconds until a worker that was handed a job claims, as in `queueing/worker/process.py`.
LIST_AGAIN = 0.005
#: Seconds until a start is recorded, and until a batch of ends is: two commits of the database.
BEGIN, END = 0.002, 0.005


@dataclass
class Figures:
    """What was observed."""

    waits: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """(queue, kind of visitor) -> seconds from accepted to started."""
    refused: Counter[str] = field(default_factory=Counter)
    """Kind of visitor -> messages that backpressure refused."""
    sent: Counter[str] = field(default_factory=Counter)
    started: Counter[str] = field(default_factory=Counter)
    """Queue -> jobs."""
    active: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    """In all queues, once a second."""
    submit: list[float] = field(default_factory=list)
    """Seconds that a submission waits for Redis."""


class Worker:
    """One worker, in a cluster of its own."""

    def __init__(self, world: "World", number: int) -> None:
        self._world = world
        self.id = f"c{number}/w"
        self.channel = scripts.worker_channel(self.id)
        self.claims: dict[str, tuple[str, str]] = {}
        """Job -> queue and token."""
        self.slots = sum(queue.concurrency for queue in world.queues)
        self._number = 0
        self._is_claiming = self._is_notified = False
        self._ended: list[tuple[str, float]] = []

    def notify(self) -> None:
        """Claim soon; after the claim that is under way, if there is one."""
        self._is_notified = True
        if not self._is_claiming:
            self._is_claiming = True
            self._world.later(NETWORK, self._claim)

    def _claim(self) -> None:
        self._is_notified = False
        free = self.slots - len(self.claims)
        if free <= 0:
            self._is_claiming = False
            return
        self._number += 1
        token = f"{self.id}/{self._number}"
        call = scripts.claim(
            self._world.queues, token, free, channel=self.channel, idle=True, busy=bool(self.claims)
        )
        found = self._world.call(call)
        for job in found.jobs:
            self.claims[job.id] = job.queue, token
        self._world.at_reply(lambda: self._claimed(found, free))

    def _claimed(self, found: scripts.Claims, free: int) -> None:
        self._is_claiming = False
        for job in found.jobs:
            self._start(job.id)
        if self._is_notified or len(found.jobs) == min(free, scripts.MAX_CLAIM_SIZE):
            self.notify()
        elif found.again_in is not None:
            self._world.later(found.again_in, self.notify)

    def hand(self, token: str, queue: str, job_id: str) -> None:
        """Take a job that a submission claimed for this worker."""
        self.claims[job_id] = queue, token
        self._world.at_reply(lambda: self._start(job_id))
        self._world.later(LIST_AGAIN, self.notify)

    def _start(self, job_id: str) -> None:
        seconds = self._world.started(job_id)
        self._world.later(BEGIN + seconds, lambda: self._end(job_id, seconds))

    def _end(self, job_id: str, seconds: float) -> None:
        if not self._ended:
            self._world.later(END, self._write_ends)
        self._ended.append((job_id, seconds))

    def _write_ends(self) -> None:
        by_queue: dict[str, list[scripts.Outcome]] = defaultdict(list)
        for job_id, seconds in self._ended:
            queue, token = self.claims.pop(job_id)
            by_queue[queue].append(scripts.Outcome(job_id, token, "completed", seconds))
        self._ended = []
        for queue, outcomes in by_queue.items():
            self._world.call(scripts.finish(get_conf().queues[queue], outcomes))
        self._world.at_reply(self.notify)

    def beat(self) -> None:
        """Do what each heartbeat does in Redis."""
        self._world.later(get_conf().heartbeat, self.beat)
        self._world.call(heartbeat_of(self.id, len(self.claims)))
        by_queue: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for job_id, (queue, token) in self.claims.items():
            by_queue[queue].append((job_id, token))
        for queue, claims in by_queue.items():
            self._world.call(scripts.renew(queue, claims))
        for one in self._world.queues:
            self._world.call(scripts.ending_leases(one.name, within=6.0))


class World:
    """Everything that happens, in virtual time."""

    def __init__(self, connection: Connection, *, workers: int, visitors: int, seed: int) -> None:
        self._connection = connection
        self._random = Random(seed)
        self._visitors = visitors
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = self._ids = 0
        self._accepted: dict[str, tuple[float, str, str]] = {}
        """Job -> when it was accepted, its queue and its kind of visitor."""
        self.now = 0.0
        self.measures_from = math.inf
        self.figures = Figures()
        self.queues: list[QueueDef] = sorted(get_conf().queues.values(), key=lambda queue: queue.priority)
        self.workers = [Worker(self, number) for number in range(workers)]
        self._by_channel = {worker.channel: worker for worker in self.workers}
        self._messages: list[tuple[str, str]] = []
        connection.on_message = lambda channel, text: self._messages.append((channel, text))
        connection.subscribe([scripts.notify_channel(), *self._by_channel])

    def later(self, seconds: float, event: Callable[[], None]) -> None:
        """Let this happen after some seconds."""
        self._order += 1
        heapq.heappush(self._events, (self.now + seconds, self._order, event))

    def at_reply(self, event: Callable[[], None]) -> None:
        """Let this happen when the reply to the last call arrives."""
        self.later(self._connection.free_at - self.now + NETWORK, event)

    def call(self, call: redis_client.ScriptCall[Any]) -> Any:
        """Run a script now."""
        self._connection.now = self.now
        reply = redis_client.run(call)
        messages, self._messages = self._messages, []
        for channel, text in messages:
            self._receive(channel, text)
        return reply

    def run(self, rate: float, *, warm_up: float, seconds: float) -> Figures:
        """Let messages come at a rate (of each second), and return what was observed after the warm-up."""
        self.measures_from = warm_up
        for n, worker in enumerate(self.workers):
            self.later(0.001 * n, worker.notify)
            self.later(get_conf().heartbeat * n / len(self.workers), worker.beat)
        for kind in KINDS:
            self._send_forever(kind, rate * kind.messages / kind.at_once)
        self.later(warm_up, self._begin_to_measure)
        while self._events and self._events[0][0] < warm_up + seconds:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return self.figures

    def _begin_to_measure(self) -> None:
        self._connection.busy.clear()
        self._connection.calls.clear()
        self._sample()

    def _sample(self) -> None:
        self.later(1.0, self._sample)
        active = sum(len(worker.claims) for worker in self.workers)
        self.figures.active.append(active)
        self.figures.waiting.append(len(self._accepted))

    def _send_forever(self, kind: Kind, rate: float) -> None:
        def send() -> None:
            self.later(self._random.expovariate(rate), send)
            number = self._random.randrange(round(self._visitors * kind.visitors))
            owner, share = f"{kind.name[:3]}:{number}", ""
            if kind.network:
                share = f"n:{number // kind.network}"
            for _ in range(kind.at_once):
                (work,) = self._random.choices(WORK, [one.share for one in WORK])
                self._submit(kind.name, work.queue, owner, share)

        self.later(self._random.expovariate(rate), send)

    def _submit(self, kind: str, name: str, owner: str, share: str) -> None:
        """Do what a web process does, with the engine's own rules of admission."""
        queue = get_conf().queues[name]
        self._connection.now = self.now
        is_measured = self.now >= self.measures_from
        self.figures.sent[kind] += is_measured
        try:
            backpressure.admit(queue, owner, share=share)
        except Rejected:
            self.figures.refused[kind] += is_measured
            return
        self._ids += 1
        job_id = f"{self._ids:032x}"
        self._accepted[job_id] = self.now, name, kind
        self.call(scripts.submit(name, [scripts.ScheduleEntry(job_id, owner, queue.priority, 0.0, share)]))
        if is_measured:
            self.figures.submit.append(self._connection.free_at - self.now)

    def started(self, job_id: str) -> float:
        """Take note of the start of a job, and return how long it runs."""
        accepted, queue, kind = self._accepted.pop(job_id)
        if accepted >= self.measures_from:
            self.figures.waits[queue, kind].append(self.now - accepted)
        if self.now >= self.measures_from:
            self.figures.started[queue] += 1
        work = next(one for one in (*WORK, TITLE) if one.queue == queue)
        seconds = work.median * math.exp(self._random.gauss(0, work.spread))
        if queue == "chat" and self._random.random() < TITLES:
            self.later(seconds, lambda: self._submit("no visitor", "titles", "", ""))
        return seconds

    def _receive(self, channel: str, text: str) -> None:
        if channel in self._by_channel and text.startswith("job:"):
            token, queue, job_id, *_ = json.loads(text[4:])
            self._by_channel[channel].hand(token, queue, job_id)
        elif channel in self._by_channel:
            self.at_reply(self._by_channel[channel].notify)
        else:
            self._connection.add_busy("wake")
            for worker in self.workers:
                self.at_reply(worker.notify)
