"""Drain: no-op jobs wait, then the workers start. Measures jobs a second and CPU seconds per thousand."""

import time

from .contestants import Contestant
from .process import wait_for
from .store import Store

TITLE = "Drain: {count:,} no-op jobs prepared, then the workers start"
COLUMNS = {"rate": "jobs/s", "cpu": "CPU s per 1,000 (workers + store)"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 50_000, 500


def measure(contestant: Contestant, store: Store, count: int) -> dict[str, float]:
    """Measure from the first claim to the end of the last job."""
    count = count // 5 if contestant.name == "Celery" else count
    contestant.prepare(store)
    contestant.run_command(store, "fill", "noop", count)
    workers = contestant.work(store, slots=contestant.slots, processes=contestant.processes)
    try:
        wait_for(lambda: contestant.waiting(store.client) < count, "the first claim", workers)
        started, cpu = time.monotonic(), workers.cpu() + store.process.cpu()
        wait_for(lambda: not contestant.unfinished(store.client), "the last end", workers)
        took = time.monotonic() - started
        cpu = workers.cpu() + store.process.cpu() - cpu
    finally:
        workers.stop()
    if contestant.record and (done := int(contestant.run_command(store, "completed"))) != count:
        raise RuntimeError(f"{done} of {count} jobs are on record as completed")
    return {"rate": count / took, "cpu": cpu * 1000 / count}
