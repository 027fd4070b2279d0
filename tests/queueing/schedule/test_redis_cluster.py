"""The engine on a Redis Cluster of three nodes: all its keys share one slot, so every script runs."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_redis_cluster_jobs_run_retry_and_cancel(nodes, qcluster):
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


def test_redis_cluster_data_lost_every_job_completes(nodes, qcluster):
    jobs = submit_many("test.echo", [{"text": str(n)} for n in range(20)])
    for node in nodes.nodes:
        node.client.flushall()
    qcluster()
    assert {finished(job).state for job in jobs} == {State.COMPLETED}


def test_redis_cluster_outage_is_waited_out(nodes, qcluster):
    redis_client.client().set("provider", "down")
    jobs = submit_many("test.call", [{}] * 5)
    qcluster()
    wait_until(lambda: redis_client.run(scripts.counts("test-provider")).outage, "the outage")
    redis_client.client().set("provider", "up")
    assert {(job.state, job.attempts) for job in map(finished, jobs)} == {(State.COMPLETED, 1)}


def test_redis_cluster_all_keys_are_on_one_node(nodes, qcluster):
    qcluster()
    finished(submit("test.echo", {"text": "hello"}, owner="alice").job)
    holders = [node for node in nodes.nodes if any(key.startswith("{") for key in node.client.scan_iter())]
    assert len(holders) == 1
