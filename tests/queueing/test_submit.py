"""Submissions: their validation, and the backpressure that may refuse them."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.conf import QueueDef, get_conf
from queueing.errors import BadSubmission, Rejected, UnknownKind
from queueing.limits import backpressure
from queueing.models import Job
from queueing.record.job_spec import JobSpec
from queueing.schedule.replies import Counts
from queueing.states import State
from queueing.submit import submit, submit_many

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
def test_submit_with_a_wrong_field_names_it_and_stores_nothing(field, options):
    with pytest.raises(BadSubmission, match=f"^{field}: ") as caught:
        submit("test.noop", **({"args": {}} | options))
    assert caught.value.field == field
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_submit_of_an_unknown_kind_names_the_known_ones():
    with pytest.raises(UnknownKind, match=r"'test.noob' is not registered .*test.noop"):
        submit("test.noob", {})
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_submit_many_with_one_wrong_job_stores_none():
    with pytest.raises(BadSubmission, match=r"^args: "):
        submit_many("test.noop", [{"n": 1}, {"n": math.nan}])
    assert not Job.objects.exists()


def test_build_with_too_large_args_names_the_limit():
    with pytest.raises(BadSubmission, match=rf"{get_conf().max_payload}; store the rest"):
        JobSpec(kind="test.noop").build({"x": "y" * 70_000})


def test_build_with_args_of_exactly_the_limit_is_accepted():
    maximum = get_conf().max_payload
    JobSpec(kind="test.noop").build({"x": "y" * (maximum - len('{"x": ""}'))})
    with pytest.raises(BadSubmission):
        JobSpec(kind="test.noop").build({"x": "y" * (maximum - len('{"x": ""}') + 1)})


@pytest.mark.parametrize("priority", [1, 1000])
def test_build_with_the_smallest_and_largest_priority_is_accepted(priority):
    assert JobSpec(kind="test.noop", priority=priority).build({}).priority == priority


def test_build_without_priority_uses_the_queues():
    assert JobSpec(kind="test.narrow").build({}).priority == get_conf().queues["test-narrow"].priority


def test_build_with_delay_sets_run_at():
    job = JobSpec(kind="test.noop", delay=90).build({})
    assert job.state == State.DELAYED
    assert abs(job.run_at - timezone.now() - timedelta(seconds=90)) < timedelta(seconds=5)


def test_submit_many_of_nothing_returns_nothing():
    assert submit_many("test.noop", []) == []


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
