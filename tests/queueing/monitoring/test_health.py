"""The rules of health: which numbers are ok, a warning or critical."""

import ast
from typing import Any

import pytest

from queueing.monitoring import health
from tests.support.cluster import ROOT


def queue(**figures: Any) -> dict[str, Any]:
    """Return a quiet queue of an overview, with the given changes."""
    return {
        "name": "test",
        "provider": "",
        "waiting": 0,
        "active": 0,
        "delayed": 0,
        "paused": False,
        "pressure": "normal",
        "cooldown": 0.0,
        "outage": False,
        "oldestWaiting": None,
        "limiter": None,
    } | figures


def overview(*queues: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an overview with one worker."""
    worker = {"id": "c/w", "age": 0.1, "running": 0, "slots": 5}
    return {"redis": "ok", "queues": list(queues), "workers": [worker], "unable": []} | more


def ended(completed: int, failed: int, day: int = 0) -> dict[str, Any]:
    """Return the statistics of five minutes and of a day, as in an overview."""
    recent = {"completed": completed, "failed": failed, "seconds": 300}
    recent["failureRate"] = failed / (completed + failed)
    return {"recent": recent, "day": {"completed": completed, "failed": day or failed, "retried": 0}}


def warnings_of(*queues: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    return [(w.level, w.code, w.queue) for w in health.warnings(overview(*queues, **more))]


def test_unable_jobs_are_a_warning_that_says_what_is_missing():
    row = {"queue": "test", "kind": "x", "version": 1, "arguments": ["a", "b"], "jobs": 3, "workers": 1}
    (found,) = health.warnings(overview(queue(), unable=[row]))
    assert (found.level, found.code, found.queue) == ("warning", "unable", "test")
    assert found.text.startswith(
        "3 jobs wait for a worker that can do 'x' (a, b): 1 of the running workers can."
    )


def test_quiet_queues_give_no_warning():
    assert (
        warnings_of(queue(), queue(waiting=3, active=2, oldestWaiting=5.0, **ended(100, 4, day=1500))) == []
    )
    assert health.level([]) == "ok"


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        ({"pressure": "throttled"}, ("warning", "throttled")),
        ({"pressure": "full"}, ("critical", "full")),
        ({"paused": True, "waiting": 1}, ("warning", "paused")),
        ({"cooldown": 9.5}, ("warning", "cooldown")),
        ({"cooldown": 9.5, "outage": True}, ("critical", "outage")),
        ({"waiting": 1, "oldestWaiting": 120.0}, ("warning", "old")),
        ({"waiting": 1, "oldestWaiting": 600.0}, ("critical", "old")),
        ({"waiting": 1, "oldestWaiting": 900.0, "limiter": {"max": 2, "duration": 60}}, ("warning", "old")),
        (ended(20, 5), ("warning", "failing")),
        (ended(5, 5), ("critical", "failing")),
        (ended(100, 6, day=20), ("warning", "growing")),
    ],
)
def test_queue_problem_gives_one_warning(figures, wanted):
    assert warnings_of(queue(**figures)) == [(*wanted, "test")]


@pytest.mark.parametrize(
    "figures",
    [
        {"paused": True},
        {"paused": True, "oldestWaiting": 9000.0},
        ended(0, 4),
        ended(100, 5, day=900),
    ],
)
def test_harmless_numbers_give_no_warning(figures):
    assert warnings_of(queue(**figures)) == []


def test_no_worker_is_critical_with_command():
    [warning] = health.warnings(overview(queue(waiting=7), queue(waiting=5, paused=True), workers=[]))[:1]
    assert (warning.level, warning.code) == ("critical", "no_workers")
    assert "7 waiting" in warning.text
    assert "manage.py qcluster" in warning.text


def test_late_heartbeat_is_warning():
    late = {"id": "c/slow", "age": 2.0, "running": 1, "slots": 5}
    assert warnings_of(queue(), workers=[late]) == [("warning", "heartbeat", "")]


def test_function_that_runs_on_is_warning_with_its_kind():
    worker = {"id": "c/w", "age": 0.1, "running": 2, "slots": 5, "runningOn": {"report.build": 2}}
    [warning] = health.warnings(overview(queue(), workers=[worker]))
    assert (warning.level, warning.code) == ("warning", "hung_threads")
    assert "worker c/w" in warning.text
    assert "2 of report.build" in warning.text


def test_redis_outage_gives_only_its_own_warning():
    assert warnings_of({"name": "test"}, redis="unavailable: ConnectionError", workers=[]) == [
        ("critical", "redis", "")
    ]


def test_warning_codes_are_documented():
    documented = (ROOT / "docs" / "terminal.md").read_text()
    # The package of the engine has its tests without the chat.
    rules = [*ROOT.glob("chat/upstream/health.py"), *ROOT.glob("queueing/monitoring/*health.py")]
    calls = [node for rule in rules for node in ast.walk(ast.parse(rule.read_text())) if _is_warning(node)]
    codes = {call.args[1].value for call in calls}
    assert len(codes) >= 10
    assert [code for code in sorted(codes) if f"`{code}`" not in documented] == []


def _is_warning(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "HealthWarning"


async def test_registered_check_is_included_and_worst_is_first(valkey, db, monkeypatch):
    async def mild() -> list[health.HealthWarning]:
        return [health.HealthWarning("warning", "mild", "", "Look at it some day.")]

    monkeypatch.setattr(health, "_checks", [])
    health.register_health_check(mild)
    health.register_health_check(mild)
    seen = await health.queue_health()
    assert [warning["code"] for warning in seen["warnings"]] == ["no_workers", "mild"]
    assert seen["health"] == "critical"


def test_unclaimed_job_beside_free_slots_is_critical():
    """E1: work waits, slots are free, and nothing is claimed."""
    waiting = {"waiting": 1, "oldestWaiting": 25.0, "concurrency": 3, "globalConcurrency": 0}
    assert warnings_of(queue(**waiting)) == [("critical", "unclaimed", "test")]
    for reason in (
        {"oldestWaiting": 5.0},
        {"paused": True},
        {"cooldown": 3.0},
        {"active": 3},
        {"limiter": {"max": 2, "duration": 60, "used": 2}},
        {"globalConcurrency": 1, "active": 1},
    ):
        assert "unclaimed" not in [code for _, code, _ in warnings_of(queue(**(waiting | reason)))]
    busy = {"id": "c/w", "age": 0.1, "running": 5, "slots": 5}
    assert warnings_of(queue(**waiting), workers=[busy]) == []


def test_waiting_jobs_of_a_queue_that_no_running_worker_serves_are_critical():
    waiting = queue(waiting=2, oldestWaiting=1.0)
    worker = {"id": "c/w", "age": 0.1, "running": 0, "slots": 5}
    elsewhere = worker | {"queues": ["other"]}
    assert warnings_of(waiting, workers=[elsewhere]) == [("critical", "unserved", "test")]
    assert warnings_of(waiting, workers=[elsewhere, worker]) == []  # an older worker serves all queues
    assert warnings_of(waiting | {"paused": True}, workers=[elsewhere]) == [("warning", "paused", "test")]
    assert warnings_of(queue(), workers=[elsewhere]) == []
    quiet = worker | {"quiet": True}
    assert warnings_of(waiting, workers=[quiet]) == [
        ("warning", "quiet", ""),
        ("critical", "unserved", "test"),
    ]


def test_free_slots_of_workers_that_do_not_claim_the_queue_do_not_count():
    waiting = queue(waiting=1, oldestWaiting=25.0, concurrency=3, globalConcurrency=0)
    serving = {"id": "c/1", "age": 0.1, "running": 5, "slots": 5}
    elsewhere = {"id": "c/2", "age": 0.1, "running": 0, "slots": 5, "queues": ["other"]}
    quiet = {"id": "c/3", "age": 0.1, "running": 0, "slots": 5, "quiet": True}
    assert warnings_of(waiting, workers=[serving, elsewhere, quiet]) == [("warning", "quiet", "")]


def test_worker_without_notifications_is_a_warning():
    worker = {"id": "c/w", "age": 0.1, "running": 0, "slots": 5, "listens": False}
    assert warnings_of(queue(), workers=[worker]) == [("warning", "deaf", "")]


@pytest.mark.parametrize(
    ("server", "wanted"),
    [
        ({"eviction": "allkeys-lru"}, [("warning", "eviction", "")]),
        ({"eviction": "noeviction", "used_memory": 95, "max_memory": 100}, [("warning", "memory", "")]),
        ({"eviction": "noeviction", "used_memory": 101, "max_memory": 100}, [("critical", "memory", "")]),
        ({"eviction": "noeviction", "used_memory": 101, "max_memory": 0}, []),
        ({"eviction": ""}, []),
    ],
)
def test_memory_of_redis_is_reported(server, wanted):
    assert warnings_of(queue(), server=server) == wanted


def test_blocked_event_loop_is_warning_with_the_kind_that_blocks_it():
    worker = {"id": "c/w", "age": 0.1, "running": 2, "slots": 5}
    worker["blockedBy"] = {"kind": "report.build", "seconds": 12.3}
    worker["blocking"] = {
        "report.build": {"times": 3, "longest": 2.5},
        "test.quick": {"times": 9, "longest": 0.3},
    }
    found = health.warnings(overview(queue(), workers=[worker]))
    assert [(warning.level, warning.code) for warning in found] == [
        ("warning", "blocked_loop"),
        ("warning", "blocking"),
    ]
    assert all("report.build" in warning.text for warning in found)
