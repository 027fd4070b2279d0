"""From the call that submits to the handler's first line, on a system that has nothing else to do."""

from .contestants import STAMPS, Contestant
from .process import wait_for
from .store import Store

TITLE = "Latency: {count:,} jobs, each submitted to an idle system at a random moment"
COLUMNS = {"p50": "p50 ms", "p99": "p99 ms"}
PEERS = ("BullMQ", "Bull", "Celery")
COUNT, QUICK = 500, 20


def measure(who: Contestant, store: Store, count: int) -> dict[str, float]:
    """Both ends are stamped with the machine's monotonic clock; the first jobs warm up."""
    warm = count // 5
    who.prepare(store)
    who.ask(store, "fill", "noop", 5)
    workers = who.work(store, slots=100)
    try:
        wait_for(lambda: not who.unfinished(store.client), "the workers", workers)
        who.ask(store, "pace", count + warm)
        wait_for(lambda: len(_stamps()) == count + warm, "the last start", workers)
    finally:
        workers.stop()
    stamps = sorted(_stamps()[warm:])
    return {"p50": stamps[len(stamps) // 2], "p99": stamps[len(stamps) * 99 // 100]}


def _stamps() -> list[float]:
    """Milliseconds each, in order of start."""
    if not STAMPS.exists():
        return []
    return [int(line) / 1e6 for line in STAMPS.read_text().splitlines()]
