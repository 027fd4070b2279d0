"""Submitting, with no worker about: one by one, each in a transaction of its own, and in bulk."""

from .contestants import Contestant
from .store import Store

TITLE = "Submit: {count:,} jobs one by one, then five times as many in bulk"
COLUMNS = {"single": "jobs/s one by one", "bulk": "jobs/s in bulk"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 3000, 100


def measure(who: Contestant, store: Store, count: int) -> dict[str, float]:
    """The programs time themselves, without their start."""
    who.prepare(store)
    single = float(who.ask(store, "single", count))
    who.prepare(store)
    bulk = float(who.ask(store, "fill", "noop", count * 5))
    return {"single": count / single, "bulk": count * 5 / bulk}
