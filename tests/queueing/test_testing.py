"""What an application's tests use: `queueing.testing`."""

import pytest
from django.db import transaction

from queueing.context import JobContext
from queueing.errors import Rejected
from queueing.kinds import job as register
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit, submit_many
from queueing.testing import (
    assert_not_submitted,
    assert_submitted,
    drain,
    inline,
    prune,
    rejecting,
    submitted,
    without_redis,
)

from .testapp.jobs import note_ending
from .testapp.models import Written

pytestmark = pytest.mark.django_db


@register("testing.greet", queue="test", on_end=note_ending)
async def greet(ctx: JobContext, *, name: str) -> dict[str, str]:
    ctx.delta(f"Hello, {name}.")
    ctx.log("greeted")
    return {"response": ctx.text}


@register("testing.fail", queue="test")
def fail(ctx: JobContext) -> None:
    raise RuntimeError("no such thing")


@pytest.fixture(autouse=True)
def no_redis():
    with without_redis():
        yield


def test_drain_waiting_jobs_run_to_their_end_with_on_end():
    job = submit("testing.greet", {"name": "Ada"}, owner="alice").job
    assert [ran.state for ran in drain()] == [State.COMPLETED]
    job.refresh_from_db()
    assert job.result == {"response": "Hello, Ada."}
    assert Written.objects.get().job_id == job.id.hex
    assert job.log.get().line == "greeted"


def test_drain_plain_function_runs_in_the_callers_transaction():
    job = submit("test.sync", {"n": 4}).job
    drain()
    job.refresh_from_db()
    assert job.result["square"] == 16


def test_drain_takes_jobs_by_priority_then_age():
    first, urgent, last = (submit("test.sync", {"n": 1}, priority=p).job for p in (5, 1, 5))
    assert [job.id for job in drain()] == [urgent.id, first.id, last.id]


def test_drain_dependents_run_after_what_they_wait_for():
    parent = submit("test.sync", {"n": 1}).job
    child = submit("test.sync", {"n": 2}, depends_on=[parent]).job
    assert [job.id for job in drain()] == [parent.id, child.id]


def test_drain_delayed_job_waits_unless_asked_for():
    job = submit("test.sync", {"n": 1}, delay=60).job
    assert drain() == []
    assert [ran.id for ran in drain(delayed=True)] == [job.id]


def test_drain_failing_job_is_retried_until_its_attempts_are_spent():
    job = submit("testing.fail", {}).job
    drain(delayed=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == (State.FAILED, 3, "RuntimeError")


def test_drain_of_one_queue_leaves_the_others():
    submit("test.sync", {"n": 1})
    narrow = submit("test.narrow", {}).job
    assert [job.id for job in drain(queues=["test-narrow"])] == [narrow.id]


def test_drain_jobs_without_end_fail_the_test(monkeypatch):
    monkeypatch.setattr("queueing.testing.MAX_RUNS", 2)
    submit_many("test.sync", [{"n": n} for n in range(3)])
    with pytest.raises(AssertionError, match="2 runs"):
        drain()


@pytest.mark.django_db(transaction=True)
def test_inline_job_has_ended_when_its_transaction_has_committed():
    with inline():
        with transaction.atomic():
            job = submit("test.sync", {"n": 3}).job
            assert Job.objects.get(pk=job.pk).state == State.WAITING
        assert Job.objects.get(pk=job.pk).state == State.COMPLETED


def test_assert_submitted_compares_kind_arguments_fields_and_count():
    submit("test.sync", {"n": 1}, owner="alice")
    submit("test.sync", {"n": 2}, owner="bob")
    assert_submitted("test.sync", args={"n": 1}, owner="alice")
    assert_submitted("test.sync", count=2)
    assert_not_submitted("test.echo")
    assert [job.owner for job in submitted("test.sync")] == ["alice", "bob"]
    with pytest.raises(AssertionError, match="0 jobs of"):
        assert_submitted("test.sync", args={"n": 3})
    with pytest.raises(AssertionError, match="expected 0"):
        assert_not_submitted("test.sync", owner="bob")


def test_rejecting_refuses_submissions_with_the_given_code():
    with rejecting("owner_limit", retry_after=3.0), pytest.raises(Rejected) as caught:
        submit("test.sync", {"n": 1})
    assert (caught.value.code, caught.value.retry_after) == ("owner_limit", 3.0)
    assert submitted() == []


def test_prune_deletes_old_finished_jobs(settings):
    settings.QUEUEING = settings.QUEUEING | {"KEEP_DAYS": -1}
    submit("test.sync", {"n": 1})
    drain()
    prune()
    assert submitted() == []
