"""Admitting jobs without an owner: the counts of a queue with room are not read each time."""

import pytest

from queueing.conf import QueueDef
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.schedule.replies import Counts

ROOMY = QueueDef(name="test", soft_limit=100, hard_limit=200, owner_limit=0)


@pytest.fixture
def reads(monkeypatch):
    """The counts that each read finds, which tests may change, and the number of reads."""
    found = {"waiting": 0, "reads": 0}

    def run(call):
        found["reads"] += 1
        fields = {"delayed": 0, "active": 0, "paused": False, "cooldown": 0.0, "oldest": None}
        return Counts(
            waiting=found["waiting"], owner_unfinished=0, limiter_starts=0, first_start=0.0, **fields
        )

    monkeypatch.setattr(backpressure, "_rooms", {})
    monkeypatch.setattr(backpressure.redis_client, "run", run)
    return found


def test_admit_without_owner_reads_counts_once_for_tenth_of_room(reads):
    for _ in range(10):
        backpressure.admit(ROOMY, "")
    assert reads["reads"] == 1
    backpressure.admit(ROOMY, "")
    assert reads["reads"] == 2


def test_admit_without_owner_reads_counts_again_after_a_second(reads, monkeypatch):
    backpressure.admit(ROOMY, "")
    reads["waiting"] = 200
    backpressure.admit(ROOMY, "")
    later = backpressure.time.monotonic() + 1.1
    monkeypatch.setattr(backpressure.time, "monotonic", lambda: later)
    with pytest.raises(Rejected):
        backpressure.admit(ROOMY, "")


def test_admit_with_owner_always_reads_counts(reads):
    for _ in range(3):
        backpressure.admit(ROOMY, "alice")
    assert reads["reads"] == 3


def test_admit_near_limit_always_reads_counts(reads):
    reads["waiting"] = 95
    for _ in range(3):
        backpressure.admit(ROOMY, "")
    assert reads["reads"] == 3


def test_admit_after_changed_limits_reads_counts_again(reads):
    backpressure.admit(ROOMY, "")
    reads["waiting"] = 5
    with pytest.raises(Rejected):
        backpressure.admit(QueueDef(name="test", soft_limit=4, hard_limit=5), "")
