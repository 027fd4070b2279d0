"""Sleepers: 1,000 jobs wait for a second at the same time. Measures the total time and the memory."""

import time

from .contestants import Contestant
from .process import wait_for
from .store import Store

TITLE = "Sleepers: {count:,} one-second jobs prepared, then one cluster starts"
COLUMNS = {"wall": "s from the first claim to the last end", "pss": "MB (PSS, all processes)"}
PEERS = ("BullMQ", "Bull", "Celery", "SAQ", "arq")
COUNT, QUICK = 1000, 50


def measure(contestant: Contestant, store: Store, count: int) -> dict[str, float]:
    """Measure the time, and the memory twice: while all jobs sleep, and after the last one."""
    contestant.prepare(store)
    contestant.run_command(store, "fill", "sleep", count)
    workers = contestant.work(store, slots=max(count, 101))
    try:
        wait_for(lambda: contestant.waiting(store.client) < count, "the first claim", workers)
        started = time.monotonic()
        time.sleep(0.7)
        asleep = workers.pss()
        wait_for(lambda: not contestant.unfinished(store.client), "the last end", workers)
        took = time.monotonic() - started
        return {"wall": took, "pss": max(asleep, workers.pss())}
    finally:
        workers.stop()
