"""Real services for the engine's tests."""

import pytest
from asgiref.sync import async_to_sync

from queueing.events.delivery import group_of
from queueing.events.layers import get_channel_layer
from queueing.record.database_thread import in_thread

pytest_plugins = [
    "tests.support.clearing",
    "tests.support.property_tests",
    "tests.support.valkey",
    "tests.support.cluster",
    "tests.support.postgres",
    "tests.support.proxy",
    "tests.support.redis_cluster",
    "tests.support.sentinels",
    "tests.support.secured_sentinels",
]


@pytest.fixture
def events_of(valkey):
    """A function that runs its argument and returns the events that alice's socket gets."""

    async def listen(act):
        layer = get_channel_layer()
        mine, strangers = await layer.new_channel(), await layer.new_channel()
        await layer.group_add(group_of("alice"), mine)
        await layer.group_add(group_of("bob"), strangers)
        await in_thread(act)()
        await layer.group_send(group_of("alice"), {"type": "last"})
        await layer.group_send(group_of("bob"), {"type": "last"})
        found = []
        while (message := await layer.receive(mine))["type"] != "last":
            found.append(message["event"])
        assert (await layer.receive(strangers))["type"] == "last"
        return found

    return async_to_sync(listen)
