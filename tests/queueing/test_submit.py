"""Submissions: each wrong field is named, and nothing is stored."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from queueing.conf import get_conf
from queueing.errors import BadSubmission, UnknownKind
from queueing.models import Job
from queueing.record.job_spec import JobSpec
from queueing.states import State
from queueing.submit import submit, submit_completed, submit_many
from queueing.values.ids import new_id


def nested(levels: int) -> dict:
    """Return a dict that contains dicts and lists, `levels` deep."""
    value: Any = {}
    for level in range(levels - 1):
        value = [value] if (levels - level) % 2 else {"d": value}
    return value


SINGLE = Job(id=new_id(), kind="test.noop")


WRONG = [
    ("args", {"args": {"x": object()}}),
    ("args", {"args": {"x": math.nan}}),
    ("args", {"args": {"x": math.inf}}),
    ("args", {"args": {"x": b"bytes"}}),
    ("args", {"args": {("a", "b"): 1}}),
    ("args", {"args": nested(100_000)}),
    ("args", {"args": nested(990)}),
    ("args", {"args": {"a": {1: "x"}}}),
    ("args", {"args": {"a": [{None: "x"}]}}),
    ("args", {"args": {"a": {True: 1, 2.5: 1}}}),
    ("args", {"args": {"a": 10**5000}}),
    ("args", {"args": {"a\x00": 1}}),
    ("args", {"args": {"a": {"\udc00": 1}}}),
    ("args", {"kind": "test.sync", "args": {}}),
    ("args", {"kind": "test.sync", "args": {"n": 1, "more": 2}}),
    ("args", {"kind": "test.sync", "args": {"n": 1, "ctx": 2}}),
    ("kind", {"kind": None}),
    ("kind", {"kind": ["test.noop"]}),
    ("meta", {"meta": {"a": "x" * 70_000}}),
    ("meta", {"meta": {"a": "\x00"}}),
    ("meta", {"meta": {"\ud800": "a"}}),
    ("meta", {"meta": {1: "a"}}),
    ("meta", {"meta": [("a", "b")]}),
    ("meta", {"meta": 0}),
    ("depends_on", {"depends_on": SINGLE}),
    ("depends_on", {"depends_on": SINGLE.id.hex}),
    ("depends_on", {"depends_on": [SINGLE.id]}),
    ("depends_on", {"depends_on": {SINGLE: True}}),
    ("depends_on", {"depends_on": None}),
    ("after", {"after": SINGLE}),
    ("after", {"after": "all"}),
    ("after", {"after": [SINGLE, None]}),
    ("job_id", {"job_id": "7"}),
    ("job_id", {"job_id": new_id().hex}),
    ("job_id", {"job_id": uuid4()}),
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
    ("delay", {"delay": -math.inf}),
    ("delay", {"delay": True}),
    ("delay", {"delay": timezone.now()}),
    ("delay", {"delay": timedelta(seconds=5)}),
    ("delay", {"delay": Decimal(5)}),
    ("priority", {"priority": 0}),
    ("priority", {"priority": -1}),
    ("priority", {"priority": 1001}),
    ("priority", {"priority": True}),
    ("priority", {"priority": 5.0}),
    ("priority", {"priority": 10**5000}),
    ("job_id", {"job_id": 10**5000}),
    ("after", {"after": [10**5000]}),
    ("request_id", {"request_id": "a b"}),
    ("request_id", {"request_id": "x" * 65}),
    ("request_id", {"request_id": "line\n"}),
    ("request_id", {"request_id": "../etc"}),
    ("owner", {"owner": "x" * 65}),
    ("owner", {"owner": "a\x1fb"}),
    ("owner", {"owner": "a\ud800b"}),
    ("owner", {"owner": b"a"}),
    ("request_id", {"request_id": None}),
    ("request_id", {"request_id": "a\x00b"}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "options"), WRONG)
def test_submit_with_a_wrong_field_names_it_and_stores_nothing(field, options):
    """E20: every value of a caller is either stored as it was given, or refused by the name of its field."""
    with pytest.raises(BadSubmission, match=f"^{field}: ") as caught:
        submit(**({"kind": "test.noop", "args": {}} | options))
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


def test_build_with_the_deepest_args_is_accepted():
    assert JobSpec(kind="test.noop").build(nested(100)).args == nested(100)
    with pytest.raises(BadSubmission, match="nested more than 100"):
        JobSpec(kind="test.noop").build(nested(101))


@pytest.mark.django_db(transaction=True)
def test_submit_request_id_of_another_kind_is_refused(valkey):
    """E20: the caller never gets the job of another kind."""
    first = submit("test.noop", {}, owner="alice", request_id="r1")
    with pytest.raises(BadSubmission, match=r"^request_id: 'r1' .* 'test.noop'"):
        submit("test.echo", {}, owner="alice", request_id="r1")
    with pytest.raises(BadSubmission, match=r"^request_id: "):
        submit_completed("test.echo", {}, None, owner="alice", request_id="r1")
    assert submit("test.noop", {}, owner="alice", request_id="r1").job == first.job
    assert submit("test.echo", {}, owner="bob", request_id="r1").created


@pytest.mark.django_db(transaction=True)
def test_submit_job_id_that_is_in_use_is_refused_and_the_transaction_goes_on(valkey):
    """E20: `job_id` of another job."""
    used = submit("test.noop", {}).job
    with transaction.atomic():
        with pytest.raises(BadSubmission, match=r"^job_id: "):
            submit("test.noop", {}, job_id=used.id)
        submit("test.noop", {})
    with pytest.raises(BadSubmission, match=r"^job_id: "):
        submit("test.noop", {}, job_id=used.id)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("result", [object(), math.nan, {"a": "\x00"}, {"a": {1: 2}}, {"a": "\ud800"}, {1}])
@pytest.mark.django_db
def test_submit_completed_with_a_wrong_result_names_it(result):
    with pytest.raises(BadSubmission, match=r"^result: "):
        submit_completed("test.noop", {}, result)
    assert not Job.objects.exists()


def test_build_without_priority_uses_the_queues():
    assert JobSpec(kind="test.narrow").build({}).priority == get_conf().queues["test-narrow"].priority


def test_build_with_delay_sets_run_at():
    job = JobSpec(kind="test.noop", delay=90).build({})
    assert job.state == State.DELAYED
    assert abs(job.run_at - timezone.now() - timedelta(seconds=90)) < timedelta(seconds=5)


def test_submit_many_of_nothing_returns_nothing():
    assert submit_many("test.noop", []) == []
