"""Work of no owner is not held up by a look at a queue that had room a moment ago."""

import pytest

from queueing.conf import QueueDef
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.schedule.replies import Counts

ROOMY = QueueDef(name="test", soft_limit=100, hard_limit=200, owner_limit=0)


@pytest.fixture
def looks(monkeypatch):
    """What each look finds, to be changed; and how often there was one."""
    found = {"waiting": 0, "looks": 0}

    def run(call):
        found["looks"] += 1
        fields = {"delayed": 0, "active": 0, "paused": False, "cooldown": 0.0, "oldest": None}
        return Counts(
            waiting=found["waiting"], owner_unfinished=0, limiter_starts=0, first_start=0.0, **fields
        )

    monkeypatch.setattr(backpressure, "_rooms", {})
    monkeypatch.setattr(backpressure.redis_client, "run", run)
    return found


def test_a_look_is_good_for_a_tenth_of_the_room(looks):
    for _ in range(10):
        backpressure.admit(ROOMY, "")
    assert looks["looks"] == 1
    backpressure.admit(ROOMY, "")
    assert looks["looks"] == 2


def test_a_look_is_good_for_a_second(looks, monkeypatch):
    backpressure.admit(ROOMY, "")
    looks["waiting"] = 200
    backpressure.admit(ROOMY, "")
    later = backpressure.time.monotonic() + 1.1
    monkeypatch.setattr(backpressure.time, "monotonic", lambda: later)
    with pytest.raises(Rejected):
        backpressure.admit(ROOMY, "")


def test_who_owns_a_job_is_always_looked_at(looks):
    for _ in range(3):
        backpressure.admit(ROOMY, "alice")
    assert looks["looks"] == 3


def test_near_its_limits_every_submission_looks(looks):
    looks["waiting"] = 95
    for _ in range(3):
        backpressure.admit(ROOMY, "")
    assert looks["looks"] == 3


def test_changed_limits_are_looked_at_anew(looks):
    backpressure.admit(ROOMY, "")
    looks["waiting"] = 5
    with pytest.raises(Rejected):
        backpressure.admit(QueueDef(name="test", soft_limit=4, hard_limit=5), "")
