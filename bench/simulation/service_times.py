"""How long Redis works for each call of the engine: measured before a simulation, on the same server."""

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import hiredis

from queueing.conf import get_conf, get_queue
from queueing.events import delivery
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.redis_client import ScriptCall
from queueing.values.ids import new_id

from .redis_server import Connection, ServiceTime

#: Calls of each kind.
_TIMES = 400
#: Jobs in one call, for the time of each further job.
_MANY = 20
#: Jobs in line meanwhile.
_IN_LINE = 5_000
#: A piece of an answer: a token of a model.
PIECE = " word"


class Subscribers:
    """Connections that receive the notifications of workers, as those of real workers would."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets = []
        for _ in range(number):
            one = socket.create_connection(connection._socket.getpeername())
            one.sendall(hiredis.pack_command(("SUBSCRIBE", scripts.notify_channel())))
            self._selector.register(one, selectors.EVENT_READ)
            self._sockets.append(one)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for found, _ in self._selector.select(0.1):
                found.fileobj.recv(1 << 16)  # type: ignore[union-attr]

    def close(self) -> None:
        """Close all."""
        self._ended.set()
        self._thread.join()
        for one in self._sockets:
            one.close()


def cpu_of(connection: Connection) -> float:
    """Return the CPU seconds of Redis so far."""
    text = str(connection.command("INFO", "cpu"))
    found = dict(line.split(":") for line in text.splitlines() if ":" in line)
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


def measure(connection: Connection, workers: int) -> dict[str, ServiceTime]:
    """Return the CPU time of Redis for each script; `wake` is a notification of this number of workers."""

    def cpu_each(call: Callable[[int], Any], before: Callable[[int], Any] = lambda _: None) -> float:
        total = 0.0
        for n in range(_TIMES // 50):
            for i in range(50):
                before(50 * n + i)
            began = cpu_of(connection)
            for i in range(50):
                call(50 * n + i)
            total += cpu_of(connection) - began
        return total / _TIMES

    moves = _Moves()
    subscribers = Subscribers(connection, workers)
    try:
        wake = cpu_each(lambda _: connection.command("PUBLISH", scripts.notify_channel(), "wake:chat"))
    finally:
        subscribers.close()
    nothing = cpu_each(moves.claim_nothing)
    moves.put(_IN_LINE)
    submit = cpu_each(moves.submit)
    counts = cpu_each(moves.counts)
    finish, claim = [], []
    for number in (1, _MANY):
        claim.append(
            cpu_each(lambda _, size=number: moves.claim(size), lambda _, size=number: moves.put(size))
        )
        finish.append(
            cpu_each(lambda _, size=number: moves.finish(size), lambda _, size=number: moves.claim(size))
        )
        moves.put(2 * number * _TIMES)
    moves.claim(_MANY)
    append = [cpu_each(lambda _, size=number: moves.append(size)) for number in (1, _MANY)]
    renew = [cpu_each(lambda _, size=number: moves.renew(size)) for number in (1, _MANY)]
    for n in range(workers):
        moves.heartbeat(n)
    return {
        "wake": ServiceTime(wake),
        "submit": ServiceTime(submit),
        "counts": ServiceTime(counts),
        "claim": ServiceTime(nothing, max(0.0, claim[1] - nothing) / _MANY),
        "finish": _affine(finish),
        "append": _affine(append),
        "renew": _affine(renew),
        "heartbeat": ServiceTime(cpu_each(lambda n: moves.heartbeat(n % workers))),
        "ending_leases": ServiceTime(cpu_each(moves.ending_leases)),
    }


def _affine(times: list[float]) -> ServiceTime:
    """Return the time of a call and of each job in it, from those of a call with one and with many."""
    job = max(0.0, times[1] - times[0]) / (_MANY - 1)
    return ServiceTime(max(0.0, times[0] - job), job)


class _Moves:
    """The calls of a site with jobs in line."""

    def __init__(self) -> None:
        self._queue = get_queue("chat")
        self._queues = list(get_conf().queues.values())
        self._claimed: list[tuple[str, str]] = []
        self._texts: dict[str, int] = {}
        self._number = 0

    def put(self, number: int) -> None:
        """Add jobs of many owners."""
        entries = [scripts.ScheduleEntry(new_id().hex, f"u:{n % 997}", 2) for n in range(number)]
        for i in range(0, len(entries), 1000):
            redis_client.run(scripts.submit("chat", entries[i : i + 1000]))

    def submit(self, number: int) -> None:
        """Add one job."""
        redis_client.run(scripts.submit("chat", [scripts.ScheduleEntry(new_id().hex, f"u:{number}", 2)]))

    def counts(self, number: int) -> None:
        """Count, as before each submission."""
        redis_client.run(scripts.counts("chat", f"u:{number}"))

    def claim_nothing(self, number: int) -> None:
        """Claim from empty lines."""
        redis_client.run(scripts.claim(self._queues, f"none/w/{number}", 40, channel="none"))

    def claim(self, jobs: int) -> None:
        """Claim jobs of the chat, each time for another cluster."""
        self._number += 1
        token = f"c{self._number}/w/1"
        found = redis_client.run(scripts.claim(self._queues, token, jobs, channel="none"))
        self._claimed += [(job.id, token) for job in found.jobs]

    def _take(self, jobs: int) -> list[tuple[str, str]]:
        taken, self._claimed = self._claimed[:jobs], self._claimed[jobs:]
        return taken

    def finish(self, jobs: int) -> None:
        """End claims."""
        outcomes = [scripts.Outcome(*claim, "completed", 4.0) for claim in self._take(jobs)]
        redis_client.run(scripts.finish(self._queue, outcomes))

    def renew(self, jobs: int) -> None:
        """Renew leases."""
        redis_client.run(scripts.renew("chat", self._claimed[:jobs]))

    def append(self, jobs: int) -> None:
        """Store a token of each answer, and announce it to its owner."""
        chunks = []
        for job_id, token in self._claimed[:jobs]:
            before = self._texts.get(job_id, 0)
            chunks.append(scripts.TextChunk(job_id, token, 1, PIECE, before))
            self._texts[job_id] = before + len(PIECE)
        redis_client.run(scripts.append(chunks, keep=3600))
        event = {"type": "chat:delta", "jobId": "0" * 32, "run": 1, "offset": 1000, "text": PIECE}
        groups = [delivery.group_of(f"u:{chunk.job_id}") for chunk in chunks]
        redis_client.run_commands([("PUBLISH", group, str(event)) for group in groups])

    def heartbeat(self, number: int) -> None:
        """Write a heartbeat as large as a real one."""
        redis_client.run(heartbeat_of(f"c{number}/w", 40))

    def ending_leases(self, _: int) -> None:
        """Look for lost workers."""
        redis_client.run(scripts.ending_leases("chat", within=6.0))


def heartbeat_of(worker: str, active: int) -> ScriptCall[float]:
    """Return the call of a worker's heartbeat."""
    cluster = worker.partition("/")[0]
    fields: dict[str, Any] = {"id": worker, "cluster": cluster, "host": "host", "pid": 1, "active": active}
    fields |= {"slots": 50, "queues": list(get_conf().queues), "limits": presence.own_limits()}
    return presence.heartbeat(worker, fields)
