"""A Redis without memory refuses writes; a wrong policy deletes keys (E19)."""

import asyncio

import pytest
from django.core.checks import run_checks

from queueing.conf import get_queue
from queueing.models import Job
from queueing.monitoring import health
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.server import server
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full(valkey):
    """Call it to leave Redis without memory; the memory is back after the test."""
    yield lambda: valkey.client.config_set("maxmemory", "1")
    valkey.client.config_set("maxmemory", "0")
    valkey.client.config_set("maxmemory-policy", "noeviction")


def codes() -> dict[str, str]:
    async def ask() -> dict[str, str]:
        found = await health.queue_health()
        await redis_client.aclose()
        return {warning["code"]: warning["level"] for warning in found["warnings"]}

    return asyncio.run(ask())


def test_redis_without_memory_stores_jobs_and_says_so(valkey, full):
    generation = server().generation
    full()
    submission = submit("test.noop", {}, owner="alice")
    assert submission.queued_event["estimatedWait"]["reason"] == "redis"
    assert submission.queued_event["position"] is None
    assert Job.objects.get().state == State.WAITING
    assert codes()["memory"] == "critical"
    assert server().generation == generation, "the connections stay: the command was refused, not the server"


def test_redis_without_memory_keeps_active_jobs(valkey, full):
    """Heartbeats and leases need hardly any memory. Without them each job would run again elsewhere."""
    job = submit("test.noop", {}).job
    queue = get_queue("test")
    redis_client.run(scripts.claim([queue], "c/w/1", 1))
    full()
    ends = valkey.client.zscore(scripts.queue_key("test", "active"), job.id.hex)
    assert redis_client.run(scripts.renew("test", [(job.id.hex, "c/w/1")])) == []
    assert valkey.client.zscore(scripts.queue_key("test", "active"), job.id.hex) >= ends
    assert redis_client.run(presence.heartbeat("c/w", {"id": "c/w"})) > 0
    outcome = scripts.Outcome(job.id.hex, "c/w/1", "completed", 1)
    assert redis_client.run(scripts.finish(queue, [outcome])) == []


@pytest.mark.slow
def test_redis_without_memory_for_a_while_all_jobs_complete_once(valkey, full, qcluster):
    qcluster()
    running = submit("test.rest", {"seconds": 6}).job
    wait_until(lambda: Job.objects.get(pk=running.pk).state == State.ACTIVE, "it to run")
    full()
    stored = [submit("test.noop", {}, owner="alice").job for _ in range(5)]
    assert finished(running).run_count == 1
    valkey.client.config_set("maxmemory", "0")
    for job in stored:
        assert finished(job).state == State.COMPLETED


def test_redis_that_deletes_keys_is_reported(valkey, full):
    valkey.client.config_set("maxmemory-policy", "allkeys-lru")
    assert codes()["eviction"] == "warning"
    assert "queueing.W002" in [message.id for message in run_checks(include_deployment_checks=True)]
    valkey.client.config_set("maxmemory-policy", "noeviction")
    assert "eviction" not in codes()


def test_deploy_check_without_redis_says_so(settings):
    assert "queueing.W004" in [message.id for message in run_checks(include_deployment_checks=True)]
    assert "queueing.W004" not in [message.id for message in run_checks()]
