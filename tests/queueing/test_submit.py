"""What a submission may be: each wrong field is named, and nothing is stored."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.conf import QueueDef, get_conf
from queueing.errors import BadSubmission, Rejected, UnknownKind
from queueing.limits import backpressure
from queueing.models import Job
from queueing.schedule.replies import Counts
from queueing.states import State
from queueing.submit import JobSpec, submit, submit_many

DEEP: dict = {}
for _ in range(100_000):
    DEEP = {"d": DEEP}


WRONG = [
    ("args", {"args": {"x": object()}}),
    ("args", {"args": {"x": math.nan}}),
    ("args", {"args": {"x": math.inf}}),
    ("args", {"args": {"x": b"bytes"}}),
    ("args", {"args": {("a", "b"): 1}}),
    ("args", {"args": DEEP}),
    ("args", {"args": [1, 2]}),
    ("args", {"args": None}),
    ("args", {"args": {"x": "y" * 70_000}}),
    ("args", {"args": {"x": "é" * 40_000}}),
    ("delay", {"delay": -1}),
    ("delay", {"delay": -0.001}),
    ("delay", {"delay": math.nan}),
    ("delay", {"delay": math.inf}),
    ("delay", {"delay": 1e12}),
    ("delay", {"delay": "5"}),
    ("delay", {"delay": None}),
    ("priority", {"priority": 0}),
    ("priority", {"priority": -1}),
    ("priority", {"priority": 1001}),
    ("request_id", {"request_id": "a b"}),
    ("request_id", {"request_id": "x" * 65}),
    ("request_id", {"request_id": "line\n"}),
    ("request_id", {"request_id": "../etc"}),
    ("owner", {"owner": "x" * 65}),
    ("owner", {"owner": "a\x1fb"}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "options"), WRONG)
def test_a_wrong_field_is_named_and_nothing_is_stored(field, options):
    with pytest.raises(BadSubmission, match=f"^{field}: ") as caught:
        submit("test.noop", **({"args": {}} | options))
    assert caught.value.field == field
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(UnknownKind, match=r"'test.noob' is not registered .*test.noop"):
        submit("test.noob", {})
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_one_wrong_of_many_stores_none():
    with pytest.raises(BadSubmission, match=r"^args: "):
        submit_many("test.noop", [{"n": 1}, {"n": math.nan}])
    assert not Job.objects.exists()


def test_a_message_about_a_payload_says_how_large_it_may_be():
    with pytest.raises(BadSubmission, match=rf"more than {get_conf().max_payload}; store the rest"):
        JobSpec(kind="test.noop", args={"x": "y" * 70_000}).build()


def test_a_payload_of_exactly_the_limit_is_taken():
    most = get_conf().max_payload
    JobSpec(kind="test.noop", args={"x": "y" * (most - len('{"x": ""}'))}).build()
    with pytest.raises(BadSubmission):
        JobSpec(kind="test.noop", args={"x": "y" * (most - len('{"x": ""}') + 1)}).build()


@pytest.mark.parametrize("priority", [1, 1000])
def test_priorities_at_the_edges_are_taken(priority):
    assert JobSpec(kind="test.noop", args={}, priority=priority).build().priority == priority


def test_a_job_without_a_priority_has_its_queues():
    assert JobSpec(kind="test.narrow", args={}).build().priority == get_conf().queues["test-narrow"].priority


def test_a_delayed_job_knows_when_it_is_due():
    job = JobSpec(kind="test.noop", args={}, delay=90).build()
    assert job.state == State.DELAYED
    assert abs(job.run_at - timezone.now() - timedelta(seconds=90)) < timedelta(seconds=5)


def test_submitting_none_is_nothing():
    assert submit_many("test.noop", []) == []


limits = QueueDef(name="q", soft_limit=10, hard_limit=20, owner_limit=5, throttled_owner=2)


def counts(waiting=0, owner_unfinished=0, **changes):
    """What the queue holds."""
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
def test_pressure_has_three_levels(unfinished, level):
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
def test_who_may_submit_depends_on_the_pressure(monkeypatch, found, more, refused):
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: found)
    if refused is None:
        backpressure.admit(limits, "alice", more)
        return
    with pytest.raises(Rejected) as caught:
        backpressure.admit(limits, "alice", more)
    assert caught.value.code == refused
    assert 0 < caught.value.retry_after <= 60


def test_work_of_no_owner_knows_only_the_hard_limit(monkeypatch):
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(19))
    backpressure.admit(limits, "")


def test_a_throttled_queue_limits_owners_that_had_no_limit(monkeypatch):
    free = QueueDef(name="q", soft_limit=10, hard_limit=20, owner_limit=0, throttled_owner=2)
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(9, owner_unfinished=9))
    backpressure.admit(free, "alice")
    monkeypatch.setattr(backpressure.redis_client, "run", lambda call: counts(10, owner_unfinished=2))
    with pytest.raises(Rejected):
        backpressure.admit(free, "alice")
