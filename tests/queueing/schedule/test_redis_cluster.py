"""The engine on a Redis Cluster of three nodes: all its keys share one slot, so every script runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.answer_cache import store
from chat.limits import check
from chat.limits.reservations import reserve
from chat.limits.rules import parse
from queueing.control import verbs
from queueing.errors import Rejected
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import Valkey, free_port, point_at, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SLOTS = 16384


class Nodes:
    """Three servers that form a cluster."""

    def __init__(self, directory: Path) -> None:
        self.nodes = []
        buses = [free_port() for _ in range(3)]
        self.bus = buses[0]
        for number in range(3):
            (directory / str(number)).mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            options += ("--cluster-port", str(buses[number]))
            self.nodes.append(Valkey(directory / str(number), *options, password=""))

    def start(self) -> None:
        """Start them, share out the slots, and wait until all agree."""
        for number, node in enumerate(self.nodes):
            node.start()
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.bus)
        wait_until(self._agree, "the cluster to form")

    def _agree(self) -> bool:
        def info(node: Valkey) -> str:
            return str(node.client.execute_command("CLUSTER", "INFO"))

        return all("cluster_state:ok" in info(n) and "cluster_known_nodes:3" in info(n) for n in self.nodes)

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port}/0"


@pytest.fixture
def nodes(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[Nodes]:
    """A cluster, and the settings pointing at it."""
    nodes = Nodes(tmp_path)
    nodes.start()
    point_at(settings, nodes.url)
    yield nodes
    for node in nodes.nodes:
        node.stop()


def test_jobs_run_retry_and_are_cancelled_on_a_cluster(nodes, qcluster):
    qcluster()
    many = submit_many("test.echo", [{"text": f"number {n}"} for n in range(200)], owner="alice")
    flaky = submit("test.flaky", {"fail": 1}).job
    slow = submit("test.sleep", {"seconds": 60}, owner="bob").job
    later = submit("test.echo", {"text": "later"}, delay=3600).job

    assert finished(flaky).state == State.COMPLETED
    assert {finished(job).state for job in many} == {State.COMPLETED}
    wait_until(lambda: Job.objects.get(pk=slow.pk).state == State.ACTIVE, "the slow one to start")
    assert verbs.cancel(slow.pk).state == State.CANCELLED
    verbs.promote(later.pk)
    assert finished(later).state == State.COMPLETED


def test_a_cluster_that_lost_its_memory_loses_nothing(nodes, qcluster):
    jobs = submit_many("test.echo", [{"text": str(n)} for n in range(20)])
    for node in nodes.nodes:
        node.client.flushall()
    qcluster()
    assert {finished(job).state for job in jobs} == {State.COMPLETED}


def test_all_keys_of_the_engine_are_on_one_node(nodes, qcluster):
    qcluster()
    finished(submit("test.echo", {"text": "hello"}, owner="alice").job)
    holders = [node for node in nodes.nodes if any(key.startswith("{") for key in node.client.scan_iter())]
    assert len(holders) == 1


def test_limits_hold_and_answers_are_kept_on_a_cluster(nodes, settings):
    settings.LIMITS = settings.LIMITS | {"login": "1/minute"}
    rules = parse("2/minute")
    reservations = [reserve([("s:alice", rules), ("192.0.2.1", rules)], max_wait=100) for _ in range(3)]
    assert [round(one.wait / 60) for one in reservations] == [0, 0, 1]
    reservations[1].cancel()
    check("login", "192.0.2.1")
    with pytest.raises(Rejected):
        check("login", "192.0.2.1")

    settings.ANSWER_CACHE_SECONDS = 100
    for number in range(3):
        store.keep(str(number), store.Answer("Yes.", "scripted"), owner="s:alice", thread_id="t")
    store.count("hits")
    assert store.find("1") == (store.Answer("Yes.", "scripted"), "")
    store.forget("s:alice")
    assert store.find("1") == (None, "")
    assert store.statistics() == {"hits": 1, "misses": 0, "shared": 0, "hitRate": 1.0, "kept": 0}


def test_a_cluster_that_is_away_limits_nobody(valkey, settings):
    settings.LIMITS = settings.LIMITS | {"login": "1/minute"}
    point_at(settings, "redis+cluster://127.0.0.1:1/0")
    for _ in range(3):
        check("login", "192.0.2.1")
    assert reserve([("s:alice", parse("1/minute"))], max_wait=0).granted
    assert store.find("1") == (None, "")
