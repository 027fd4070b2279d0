"""How the queues are doing, and what an application adds to that: health checks, pruning."""

from queueing.monitoring.cumulative import CumulativeSums
from queueing.monitoring.failures import recent_failures
from queueing.monitoring.health import CRITICAL, WARNING, HealthWarning, queue_health, register_health_check
from queueing.monitoring.overview import queue_overview, without_machines
from queueing.monitoring.statistics import completed_since
from queueing.record.pruning import register_pruning
from queueing.schedule.presence import workers_alive
from queueing.worker.liveness.service_manager import notify

__all__ = [
    "CRITICAL",
    "WARNING",
    "CumulativeSums",
    "HealthWarning",
    "completed_since",
    "notify",
    "queue_health",
    "queue_overview",
    "recent_failures",
    "register_health_check",
    "register_pruning",
    "without_machines",
    "workers_alive",
]
