"""Submissions: each wrong field is named, and nothing is stored."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.conf import get_conf
from queueing.errors import BadSubmission, UnknownKind
from queueing.models import Job
from queueing.record.job_spec import JobSpec
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
