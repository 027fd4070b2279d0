"""The breaker of calls that no queue waits for."""

import pytest

from queueing.schedule import redis_client, scripts

from .breaker_operations import fail, open_breaker, pass_time, succeed

pytestmark = pytest.mark.usefixtures("valkey", "first_probe")


def admitted(caller: str) -> bool:
    return redis_client.run(scripts.admit("p", caller)) <= 0


def test_admit_without_failures_needs_no_report():
    assert redis_client.run(scripts.admit("p", "x")) < 0
    fail("y", "maybe")
    assert redis_client.run(scripts.admit("p", "x")) == 0


def test_admit_refuses_who_failed_a_moment_ago():
    fail("x", "maybe")
    assert not admitted("x")
    assert admitted("y")
    pass_time(121)
    assert admitted("x")


def test_admit_lets_one_call_at_a_time_through_while_open():
    assert admitted("x")
    open_breaker()
    assert not admitted("x")
    pass_time(6)
    assert admitted("x")
    assert not admitted("y")
    succeed("x")
    assert admitted("y")
