"""Commands are sent without waiting for their replies, which never reach a later caller."""

import pytest

from queueing.schedule import redis_client

pytestmark = pytest.mark.usefixtures("valkey")


@pytest.fixture
def connections():
    """The synchronous connections, of which this thread uses one at a time."""
    return redis_client._sync_connections()[1]


def test_replies_to_what_was_sent_are_dropped_in_order(connections):
    for number in range(3):
        connections.send([("SET", "{test}:n", number), ("INCR", "{test}:n")])
    assert connections.execute_many([("GET", "{test}:n"), ("ECHO", "next")]) == ["3", "next"]
    assert connections.execute("ECHO", "again") == "again"


def test_refusal_of_what_was_sent_is_logged_and_reaches_no_caller(connections, caplog):
    connections.send([("NOSUCHCOMMAND",)])
    assert connections.execute("ECHO", "next") == "next"
    assert "Redis refused what was sent" in caplog.text


def test_connection_that_broke_with_unread_replies_is_made_again(connections):
    connections.send([("ECHO", "lost")])
    redis_client.client().client_kill_filter(_type="normal", skipme=True)
    assert connections.execute("ECHO", "next") == "next"
