"""The number by which workers are added counts what they could start, and nothing that is held back."""

import pytest
from asgiref.sync import async_to_sync

from queueing.control import audited, verbs
from queueing.monitoring.overview import queue_overview
from queueing.submit import submit_many
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def demand(queue: str) -> int:
    """Return the demand of a queue."""
    [found] = [q for q in async_to_sync(queue_overview)()["queues"] if q["name"] == queue]
    return found["demand"]


def test_demand_of_waiting_jobs_is_their_number_and_none_while_paused(valkey):
    submit_many("test.noop", [{}] * 7)
    assert demand("test") == 7
    verbs.pause("test")
    assert demand("test") == 0


def test_demand_leaves_out_what_the_limiter_and_the_cap_in_total_hold(valkey, qcluster):
    audited.set_limits("test", actor="alice", limiter=(2, 3600))
    submit_many("test.sleep", [{"seconds": 60}] * 9)
    assert demand("test") == 2
    cluster = qcluster()
    wait_until(lambda: _active("test") == 2, "two starts")
    assert demand("test") == 2  # they run, and need their slots
    audited.set_limits("test", actor="alice", limiter=None, global_concurrency=3)
    wait_until(lambda: _active("test") == 3, "a third start")
    assert demand("test") == 3
    cluster.kill()


def _active(queue: str) -> int:
    [found] = [q for q in async_to_sync(queue_overview)()["queues"] if q["name"] == queue]
    return found["active"]
