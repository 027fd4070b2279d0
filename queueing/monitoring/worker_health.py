"""The health warnings about workers and clusters."""

from collections.abc import Iterator
from typing import Any

from queueing.conf import get_conf

from .health_warning import CRITICAL, WARNING, HealthWarning

#: Seconds for which a kind may block the event loop of a worker.
BLOCKING = 1.0


def worker_warnings(overview: dict[str, Any]) -> Iterator[HealthWarning]:
    """Yield those of an overview."""
    if not overview["workers"]:
        waiting = sum(queue["waiting"] for queue in overview["queues"] if not queue["paused"])
        text = f"No worker is running ({waiting} waiting). Start one: manage.py qcluster"
        yield HealthWarning(CRITICAL, "no_workers", "", text)
    elif lost := overview.get("lostClusters"):
        names = ", ".join(f"{cluster['cluster']} on {cluster['host']}" for cluster in lost)
        text = f"{len(lost)} of the clusters ended without being stopped, and none took their place: {names}."
        text += " Start as many as before, or wait a day: then that is the new number."
        yield HealthWarning(WARNING, "lost_cluster", "", text)
    for worker in overview["workers"]:
        if worker["age"] > 2 * get_conf().heartbeat:
            text = f"The last heartbeat of worker {worker['id']} was {worker['age']:g} s ago."
            yield HealthWarning(WARNING, "heartbeat", "", text)
        elif not worker.get("listens", True):
            text = f"Worker {worker['id']} receives no notifications of Redis. It looks for jobs every 10 s."
            yield HealthWarning(WARNING, "deaf", "", text)
        if worker.get("quiet"):
            text = f"Worker {worker['id']} is quiet: it starts no jobs until it is resumed."
            yield HealthWarning(WARNING, "quiet", "", text)
        yield from _thread_warnings(worker)
        yield from _loop_warnings(worker)


def _thread_warnings(worker: dict[str, Any]) -> Iterator[HealthWarning]:
    if hung := worker.get("runningOn"):  # an older worker does not report it
        kinds = ", ".join(f"{number} of {kind}" for kind, number in sorted(hung.items()))
        text = f"Plain functions on worker {worker['id']} run on after their runs were stopped ({kinds})."
        text += " They keep their slots. The worker is replaced if they do not end."
        yield HealthWarning(WARNING, "hung_threads", "", text)


def _loop_warnings(worker: dict[str, Any]) -> Iterator[HealthWarning]:
    if found := worker.get("blockedBy"):
        text = (
            f"{found['kind']} has blocked the event loop of worker {worker['id']} for {found['seconds']:g} s:"
        )
        text += " its other jobs wait. Let it await, or make it a plain function."
        yield HealthWarning(WARNING, "blocked_loop", "", text)
    slow = {kind: b for kind, b in worker.get("blocking", {}).items() if b["longest"] >= BLOCKING}
    for kind, b in sorted(slow.items()):
        text = f"{kind} blocked the event loop of worker {worker['id']} {b['times']} times in five minutes,"
        text += f" for up to {b['longest']:g} s. Let it await, or make it a plain function."
        yield HealthWarning(WARNING, "blocking", "", text)
