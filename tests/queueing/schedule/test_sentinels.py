"""Sentinels: the engine follows the primary that they name (E6, O2)."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from queueing.schedule import redis_client, scripts
from queueing.schedule.server import server
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_primary_dies_work_goes_on_with_the_replica(sentinels, qcluster):
    qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    dead = sentinels.primary()
    dead.stop()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    assert sentinels.primary() is not dead


def test_primary_demoted_with_open_connections_is_left(sentinels, qcluster):
    """E6: the Sentinels change roles; connections to the old primary may stay open."""
    qcluster()
    assert finished(submit("test.noop", {}).job).state == State.COMPLETED
    old = sentinels.primary()
    sentinels.sentinels[0].client.execute_command("SENTINEL", "FAILOVER", "main")
    wait_until(lambda: sentinels.primary() is not old, "the other primary")
    wait_until(lambda: old.client.role()[0] == "slave", "the old one to be a replica")
    for _ in range(5):
        assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    wait_until(lambda: redis_client.run(scripts.counts("test")).active == 0, "Redis to forget them")
    assert server().address() == ("127.0.0.1", sentinels.primary().port)


def test_first_sentinel_dead_another_is_asked(sentinels):
    sentinels.sentinels[0].stop()

    async def heard() -> str:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "test"})
        return (await layer.receive(channel))["type"]

    assert asyncio.run(heard()) == "test"
