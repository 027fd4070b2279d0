"""Submit: without workers, one by one (a transaction for each) and in bulk."""

from .contestants import Contestant
from .store import Store

TITLE = "Submit: {count:,} jobs one by one, then five times as many in bulk"
COLUMNS = {"single": "jobs/s one by one", "bulk": "jobs/s in bulk"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 3000, 100


def measure(contestant: Contestant, store: Store, count: int) -> dict[str, float]:
    """Measure the time of the submissions, without the start of the programs."""
    contestant.prepare(store)
    single = float(contestant.run_command(store, "single", count))
    contestant.prepare(store)
    bulk = float(contestant.run_command(store, "fill", "noop", count * 5))
    return {"single": count / single, "bulk": count * 5 / bulk}
