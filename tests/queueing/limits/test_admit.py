"""Backpressure: the levels of a queue, and which submissions each of them refuses."""

import pytest

from queueing.conf import QueueDef
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.schedule.replies import Counts

limits = QueueDef(name="q", soft_limit=10, hard_limit=20, owner_limit=5, throttled_owner=2)


def counts(waiting=0, owner_unfinished=0, **changes):
    """Return the counts of a queue."""
    fields = {
        "delayed": 0,
        "active": 0,
        "paused": False,
        "cooldown": 0.0,
        "oldest": None,
        "limiter_starts": 0,
    }
    return Counts(
        **(fields | {"waiting": waiting, "owner_unfinished": owner_unfinished, "first_start": 0.0} | changes)
    )


@pytest.mark.parametrize(
    ("unfinished", "level"),
    [(0, "normal"), (9, "normal"), (10, "throttled"), (19, "throttled"), (20, "full"), (99, "full")],
)
def test_backpressure_level_follows_the_soft_and_hard_limits(unfinished, level):
    assert backpressure.level(limits, unfinished) == level


@pytest.mark.parametrize(
    ("found", "more", "refused"),
    [
        (counts(), 1, None),
        (counts(4, owner_unfinished=4), 1, None),
        (counts(5, owner_unfinished=5), 1, "owner_limit"),
        (counts(4, owner_unfinished=4), 2, "owner_limit"),
        (counts(10, owner_unfinished=1), 1, None),
        (counts(10, owner_unfinished=2), 1, "owner_limit"),
        (counts(19, owner_unfinished=0), 1, None),
        (counts(19, owner_unfinished=0), 2, "queue_full"),
        (counts(5, owner_unfinished=0, delayed=8, active=7), 1, "queue_full"),
    ],
)
def test_admit_refuses_owners_and_queues_at_their_limits(monkeypatch, found, more, refused):
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: found)
    if refused is None:
        backpressure.admit(limits, "alice", more)
        return
    with pytest.raises(Rejected) as caught:
        backpressure.admit(limits, "alice", more)
    assert caught.value.code == refused
    assert 0 < caught.value.retry_after <= 60


def test_admit_without_owner_checks_only_the_hard_limit(monkeypatch):
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(19))
    backpressure.admit(limits, "")


def test_admit_to_a_throttled_queue_limits_owners_without_a_limit(monkeypatch):
    free = QueueDef(name="q", soft_limit=10, hard_limit=20, owner_limit=0, throttled_owner=2)
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(9, owner_unfinished=9))
    backpressure.admit(free, "alice")
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(10, owner_unfinished=2))
    with pytest.raises(Rejected):
        backpressure.admit(free, "alice")
