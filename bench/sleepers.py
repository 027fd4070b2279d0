"""1,000 jobs that wait a second each, all at once: how long they take together, and the memory."""

import time

from .contestants import Contestant
from .process import wait_for
from .store import Store

TITLE = "Sleepers: {count:,} one-second jobs prepared, then one cluster starts"
COLUMNS = {"wall": "s from the first claim to the last end", "pss": "MB (PSS, all processes)"}
PEERS = ("BullMQ", "Bull", "Celery", "SAQ", "arq")
COUNT, QUICK = 1000, 50


def measure(who: Contestant, store: Store, count: int) -> dict[str, float]:
    """Memory is read twice: while all of them sleep, and when they are over."""
    who.prepare(store)
    who.ask(store, "fill", "sleep", count)
    workers = who.work(store, slots=max(count, 101))
    try:
        wait_for(lambda: who.waiting(store.client) < count, "the first claim", workers)
        started = time.monotonic()
        time.sleep(0.7)
        asleep = workers.pss()
        wait_for(lambda: not who.unfinished(store.client), "the last end", workers)
        took = time.monotonic() - started
        return {"wall": took, "pss": max(asleep, workers.pss())}
    finally:
        workers.stop()
