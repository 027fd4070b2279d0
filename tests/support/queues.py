"""The queues that tests use, and the times that make recovery quick."""

import os
from typing import Any

QUEUES: dict[str, dict[str, Any]] = {
    "test": {
        "priority": 5,
        "concurrency": 50,
        "attempts": 3,
        "backoff": {"type": "fixed", "delay": 0.2},
        "owner_limit": 0,
        "hard_limit": 100_000,
        "soft_limit": 100_000,
    },
    "test-narrow": {"priority": 6, "concurrency": 2, "attempts": 1, "timeout": 1.0},
    "test-provider": {
        "priority": 5,
        "concurrency": 3,
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 0.1},
        "provider": "test",
        "owner_limit": 0,
    },
    "test-provider-too": {"priority": 6, "concurrency": 3, "attempts": 1, "provider": "test"},
    "test-impatient": {"priority": 5, "concurrency": 2, "provider": "other", "patience": 2.0},
    "test-limited": {"priority": 7, "concurrency": 10, "limiter": {"max": 2, "duration": 3}},
}
#: What the tests run as tasks of Django-Q2.
TASKS = (
    "sys.exit",
    "time.sleep",
    *(
        f"tests.queueing.testapp.{name}"
        for name in (
            "hostile.leave_with_a_base_exception",
            "jobs.count_twice",
            "jobs.die_once",
            "jobs.fall_over",
            "jobs.hang_task",
            "jobs.noted",
            "jobs.shout",
            "killers.kill_as_task",
            "traces.leave",
        )
    ),
)
#: `LEASE`, `HEARTBEAT`, `GRACE` and `FIRST_PROBE` in seconds; `SLOTS` and `RECYCLE` from the environment
#: (0: the default).
TIMES: dict[str, Any] = (
    {"LEASE": 3.0, "HEARTBEAT": 0.5, "GRACE": 2.0}
    | {"FIRST_PROBE": float(os.environ.get("TEST_FIRST_PROBE", "0.4"))}
    | {name: int(os.environ.get(f"TEST_{name}", "0")) for name in ("SLOTS", "RECYCLE")}
)
