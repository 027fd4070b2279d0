"""Settings of the simulation: the queues of a large site, with the rules of this project's queues."""

import os

from bench.settings import *  # noqa: F403

QUEUEING = {
    "REDIS_URL": os.environ["BENCH_REDIS"],
    "PREFIX": "simulation",
    "QUEUES": {
        "chat": {"priority": 2, "concurrency": 40, "soft_limit": 8_000, "hard_limit": 12_000},
        "audio": {"priority": 3, "concurrency": 4, "soft_limit": 1_000, "hard_limit": 2_000},
        "documents": {"priority": 4, "concurrency": 4, "soft_limit": 1_000, "hard_limit": 2_000},
        "titles": {"priority": 5, "concurrency": 4, "soft_limit": 500, "hard_limit": 500, "owner_limit": 0},
    },
}
