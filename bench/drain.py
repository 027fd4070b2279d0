"""No-op jobs that wait when the workers start: jobs a second, CPU seconds per thousand."""

import time

from .contestants import Contestant
from .process import wait_for
from .store import Store

TITLE = "Drain: {count:,} no-op jobs prepared, then the workers start"
COLUMNS = {"rate": "jobs/s", "cpu": "CPU s per 1,000 (workers + store)"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 50_000, 500


def measure(who: Contestant, store: Store, count: int) -> dict[str, float]:
    """From the first claim to the last job's end."""
    count = count // 5 if who.name == "Celery" else count
    who.prepare(store)
    who.ask(store, "fill", "noop", count)
    workers = who.work(store, slots=who.slots, processes=who.processes)
    try:
        wait_for(lambda: who.waiting(store.client) < count, "the first claim", workers)
        started, cpu = time.monotonic(), workers.cpu() + store.process.cpu()
        wait_for(lambda: not who.unfinished(store.client), "the last end", workers)
        took = time.monotonic() - started
        cpu = workers.cpu() + store.process.cpu() - cpu
    finally:
        workers.stop()
    if who.record and (done := int(who.ask(store, "completed"))) != count:
        raise RuntimeError(f"{done} of {count} jobs are on record as completed")
    return {"rate": count / took, "cpu": cpu * 1000 / count}
