"""An accepted message costs few statements and few round trips, also with limits and stored answers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from queueing.schedule.connections import _Connecting
from queueing.schedule.fast_connection import FastConnections
from tests.chat.questions import submit_question


@pytest.fixture
def waits(monkeypatch) -> list[str]:
    """One entry for each time that the code waited for Redis; those that only send take theirs away."""
    found: list[str] = []
    sent, send = _Connecting.send_packed_command, FastConnections.send

    def count(self, command, check_health=True):
        found.append("command")
        return sent(self, command, check_health)

    def count_not(self, commands):
        send(self, commands)
        found.pop()

    monkeypatch.setattr(_Connecting, "send_packed_command", count)
    monkeypatch.setattr(FastConnections, "send", count_not)
    return found


def _ask(number: int, **fields):
    return submit_question(
        owner="s:alice",
        companion="travel",
        text=f"Question {number}?",
        request_id=f"r-{number}",
        address="10.0.0.1",
        **fields,
    )


@pytest.mark.django_db(transaction=True)
def test_new_message_needs_three_statements_in_one_transaction(valkey, settings, waits):
    settings.LIMITS = settings.LIMITS | {"anonymous": "100/minute", "address": "100/minute"}
    settings.ANSWER_CACHE_SECONDS = 60
    _ask(1)  # connections and scripts are loaded
    waits.clear()
    with CaptureQueriesContext(connection) as queries:
        _ask(2)
    verbs = [query["sql"].removeprefix("2 times: ").split()[0] for query in queries]
    assert [verb for verb in verbs if verb not in ("BEGIN", "COMMIT")] == ["INSERT"] * 3
    assert len(waits) <= 4  # the limits, the stored answers, the counts, the line
