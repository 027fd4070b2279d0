"""A worker whose open connections to Redis freeze, while new ones work (E1): it hears of jobs again."""

import asyncio

import pytest

from queueing.monitoring import health
from queueing.schedule import redis_client
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_worker_with_frozen_connections_runs_jobs_again(proxy, valkey, settings, qcluster):
    """The worker is behind the proxy; this process, which submits, is too."""
    qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    proxy.freeze()
    for _ in range(3):
        assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED

    async def warnings() -> list[str]:
        found = await health.queue_health()
        await redis_client.aclose()
        return [warning["code"] for warning in found["warnings"]]

    wait_until(lambda: asyncio.run(warnings()) == [], "the heartbeat over a new connection")
