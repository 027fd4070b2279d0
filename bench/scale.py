"""Scale: the operations of the schedule with a million jobs in line, and with a thousand."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from .contestants import RUN, Contestant
from .store import Store

TITLE = "Scale: ms for an operation, with 1,000 and with {count:,} jobs waiting in one queue"
COLUMNS = {
    name: label
    for move in ("claim 100", "1 position", "500 positions", "counts", "submit", "finish 100")
    for name, label in ((f"{move} few", f"{move}: few"), (f"{move} many", "many"))
} | {
    "bytes of owners": "bytes of Redis a job: many of each owner",
    "bytes of visitors": "each of another visitor, 100 in a network",
}
PEERS = ()
COUNT, QUICK = 1_000_000, 5_000
_TIMES = 50


def measure(contestant: Contestant, store: Store, count: int) -> dict[str, float]:
    """Measure the medians of fifty operations, in Redis only: the database does not depend on the length."""
    os.environ |= {
        "BENCH_REDIS": store.url,
        "BENCH_DATABASE": str(RUN / "none"),
        "BENCH_CONCURRENCY": "100000",
    }
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    import django

    django.setup()
    found = {}
    for name, waiting in (("few", 1000), ("many", count)):
        store.client.flushall()
        store.client.set("{bench}:reconciled", time.time())  # without it no job can be claimed
        found |= {f"{move} {name}": ms for move, ms in _moves(waiting).items()}
    found["bytes of owners"] = _bytes_per_job(store, count, lambda n: (f"u:{n % 997}", ""))
    visitors = count // 2  # their owners are kept, too
    found["bytes of visitors"] = _bytes_per_job(store, visitors, lambda n: (f"s:{n:040x}", f"n:{n // 100}"))
    return found


def _bytes_per_job(store: Store, count: int, owner_of: Callable[[int], tuple[str, str]]) -> float:
    """Return the memory of Redis for each of `count` waiting jobs, with all that it knows of their owners."""
    from queueing.schedule import redis_client, scripts
    from queueing.values.ids import new_id

    def used() -> int:
        return int(store.client.info("memory")["used_memory"])

    store.client.flushall()
    before = used()
    for done in range(0, count, 1000):
        owners = map(owner_of, range(done, min(done + 1000, count)))
        entries = [scripts.ScheduleEntry(new_id().hex, owner, 5, share=share) for owner, share in owners]
        redis_client.run(scripts.submit("bench", entries))
    return (used() - before) / count


def _moves(waiting: int) -> dict[str, float]:
    from queueing.conf import get_conf, get_queue
    from queueing.schedule import redis_client, scripts
    from queueing.values.ids import new_id

    queue = get_queue("bench")
    queues = list(get_conf().queues.values())
    ids: list[str] = []

    def put(number: int) -> None:
        fresh = [new_id().hex for _ in range(number)]
        ids.extend(fresh)
        redis_client.run(
            scripts.submit(
                "bench", [scripts.ScheduleEntry(i, f"u:{n % 997}", 5) for n, i in enumerate(fresh)]
            )
        )

    for done in range(0, waiting, 1000):
        put(min(1000, waiting - done))
    some = ids[:: max(1, len(ids) // 500)][:500]
    claimed: list[list[Any]] = []

    def claim() -> None:
        claimed.append(redis_client.run(scripts.claim(queues, "cluster/worker/1", 100)).jobs)
        put(100)  # keep the length of the line

    def finish() -> None:
        jobs = claimed.pop()
        redis_client.run(
            scripts.finish(queue, [scripts.Outcome(j.id, "cluster/worker/1", "completed", 0.1) for j in jobs])
        )

    return {
        "1 position": _time(lambda: redis_client.run(scripts.positions("bench", some[-1:]))),
        "500 positions": _time(lambda: redis_client.run(scripts.positions("bench", some))),
        "counts": _time(lambda: redis_client.run(scripts.counts("bench", "u:1"))),
        "submit": _time(lambda: put(1)),
        "claim 100": _time(claim) - _time(lambda: put(100)),
        "finish 100": _time(finish),
    }


def _time(move: Callable[[], None]) -> float:
    took = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        move()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000
