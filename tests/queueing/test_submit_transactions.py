"""Submitting: once for each request, together with the caller's transaction, with or without Redis."""

import pytest
from django.db import transaction

from queueing.conf import get_queue
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from queueing.testing import rejecting
from tests.queueing.record.lifecycle import begin, end, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)


def is_scheduled(job: Job) -> bool:
    """Return whether the schedule knows the job."""
    return redis_client.run(scripts.positions(job.queue, [job.id.hex])) != [None]


def test_submit_same_request_returns_same_job(valkey):
    first = submit("test.noop", {"n": 1}, owner="alice", request_id="r1")
    again = submit("test.noop", {"n": 2}, owner="alice", request_id="r1")
    assert (first.created, again.created, again.job) == (True, False, first.job)
    assert again.job.args == {"n": 1}
    assert redis_client.run(scripts.counts("test")).waiting == 1


def test_submit_same_request_after_end_returns_same_job(valkey):
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    end(begin(job))
    again = submit("test.noop", {}, owner="alice", request_id="r1")
    assert (again.created, again.job.state) == (False, State.COMPLETED)
    assert Job.objects.count() == 1


def test_submit_same_request_while_the_queue_is_full_returns_same_job(valkey):
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    with rejecting():
        assert submit("test.noop", {}, owner="alice", request_id="r1").job == job
        with pytest.raises(Rejected):
            submit("test.noop", {}, owner="alice", request_id="r2")


def test_submit_same_request_after_another_job_links_nothing(valkey):
    first = submit("test.noop", {}, owner="alice", request_id="r1").job
    with transaction.atomic():
        again = submit("test.noop", {}, owner="alice", request_id="r1", after=[first])
        submit("test.noop", {}, owner="alice", request_id="r2")
    assert (again.job, again.created) == (first, False)
    assert not Job.objects.filter(has_dependents=True).exists()


def test_submit_same_request_of_other_owner_creates_another_job(valkey):
    alice, bob = (submit("test.noop", {}, owner=owner, request_id="r1") for owner in ("alice", "bob"))
    assert alice.created
    assert bob.created
    assert alice.job != bob.job


@pytest.mark.parametrize("round_", range(5))
def test_submit_same_request_concurrently_creates_one_job(valkey, round_):
    found = run_concurrently(*[lambda: submit("test.noop", {}, owner="alice", request_id="r1")] * 6)
    assert sorted(submission.created for submission in found) == [False] * 5 + [True]
    assert {submission.job for submission in found} == {Job.objects.get()}
    assert redis_client.run(scripts.counts("test", "alice")).owner_unfinished == 1


def test_submit_same_request_in_transaction_keeps_transaction_usable(valkey):
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    with transaction.atomic():
        assert submit("test.noop", {}, owner="alice", request_id="r1").job == job
        submit("test.noop", {}, owner="alice", request_id="r2")
    assert Job.objects.count() == 2


def test_submit_in_transaction_enqueues_after_commit(valkey):
    with transaction.atomic():
        job = submit("test.noop", {}).job
        assert not is_scheduled(job)
    assert is_scheduled(job)


def test_submit_rolled_back_leaves_no_row_and_no_entry(valkey):
    with transaction.atomic():
        job = submit("test.noop", {}).job
        many = submit_many("test.noop", [{}] * 3)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert not any(is_scheduled(j) for j in [job, *many])


def test_submit_many_keeps_given_order(valkey):
    jobs = submit_many("test.noop", [{"n": n} for n in range(2500)])
    assert [job.args["n"] for job in Job.objects.order_by("id")] == list(range(2500))
    positions = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [position.ahead for position in positions] == list(range(2500))


def test_submit_to_full_queue_stores_nothing(valkey, settings):
    tight = settings.QUEUEING["QUEUES"]["test-narrow"] | {"hard_limit": 3, "soft_limit": 3, "owner_limit": 2}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": settings.QUEUEING["QUEUES"] | {"test-narrow": tight}}
    submit_many("test.narrow", [{}] * 2, owner="alice")
    with pytest.raises(Rejected, match="already have 2"):
        submit("test.narrow", {}, owner="alice")
    submit("test.narrow", {}, owner="bob")
    with pytest.raises(Rejected, match="queue is full"):
        submit("test.narrow", {}, owner="carol")
    assert Job.objects.count() == 3
    unfinished = redis_client.run(scripts.counts("test-narrow")).unfinished
    assert backpressure.level(get_queue("test-narrow"), unfinished) == "full"
