"""A cluster that ends without being stopped is missed, until another has taken its place (O14)."""

import json
import os
import signal

import pytest
from asgiref.sync import async_to_sync

from queueing.monitoring.health import queue_health
from queueing.schedule import presence, redis_client, scripts
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def beat(cluster: str, worker: str = "w") -> None:
    """Write the heartbeat of a worker."""
    fields = {"id": f"{cluster}/{worker}", "cluster": cluster, "host": f"host-of-{cluster}"}
    redis_client.run(presence.heartbeat(fields["id"], fields | {"running": 0, "slots": 1}))


def pass_time(seconds: float) -> None:
    """Let all heartbeats be older."""
    for worker, text in redis_client.client().hgetall(scripts.key("workers")).items():
        fields = json.loads(text)
        rest = {name: value for name, value in fields.items() if name not in ("at", "since")}
        times = {name: round(fields[name] - seconds, 3) for name in ("at", "since")}
        redis_client.client().hset(scripts.key("workers"), worker, json.dumps(times | rest))


def lost() -> list[str]:
    """Return the lost clusters."""
    return [worker["cluster"] for worker in async_to_sync(presence.presence)().lost]


def test_silent_cluster_is_lost_after_a_minute_and_forgotten_after_a_day():
    beat("a"), beat("b")
    pass_time(59)
    beat("a")
    assert lost() == []
    pass_time(2)
    beat("a")
    assert lost() == ["b"]
    for _ in range(23):
        pass_time(3600)
        beat("a")
    assert lost() == ["b"]
    pass_time(3600)
    beat("a")
    assert lost() == []


def test_cluster_that_began_later_takes_one_place():
    for cluster in "abc":
        beat(cluster)
    pass_time(30)
    beat("new"), beat("a")  # b and c are silent
    pass_time(31)
    beat("a"), beat("new")
    assert lost() in (["b"], ["c"])
    pass_time(10)
    beat("newer"), beat("a"), beat("new")
    assert lost() == []


def test_successor_that_is_lost_itself_is_missed_once():
    """A service manager starts a cluster again and again."""
    beat("a"), beat("b")
    for successor in ("c", "d", "e"):
        pass_time(10)
        beat(successor), beat("a")
    for _ in range(9):
        pass_time(10)
        beat("a"), beat("e")
    assert lost() == []


def test_stopped_cluster_and_replaced_worker_are_not_missed():
    beat("a"), beat("b", "w1"), beat("b", "w2"), beat("c", "w1")
    pass_time(30)
    beat("c", "w2")
    presence.forget_cluster("b")
    pass_time(40)
    beat("a"), beat("c", "w2")
    assert lost() == []
    assert sorted(redis_client.client().hkeys(scripts.key("workers"))) == ["a/w", "c/w2"]


def warnings() -> set[str]:
    """Return the codes of all health warnings."""
    return {warning["code"] for warning in async_to_sync(queue_health)()["warnings"]}


@pytest.mark.parametrize("whole", [True, False], ids=["cluster", "supervisor"])
def test_killed_cluster_is_a_warning_until_another_runs(qcluster, whole):
    """The workers of a killed supervisor stop in order: their cluster is lost nevertheless."""
    qcluster()
    killed = qcluster()
    wait_until(lambda: redis_client.client().hlen(scripts.key("workers")) == 2, "two workers")
    workers = killed.workers()
    killed.kill() if whole else os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), "the end of its workers")
    assert "lost_cluster" not in warnings()
    pass_time(presence.REMOVE_WORKER_AFTER + 1)
    wait_until(lambda: "lost_cluster" in warnings(), "the warning")
    qcluster()
    wait_until(lambda: "lost_cluster" not in warnings(), "its end")
    for cluster in redis_client.client().hvals(scripts.key("workers")):
        assert json.loads(cluster)["gone"] is False
