"""Accepting work: once per request, with the caller's transaction, whatever Redis does."""

import asyncio
from datetime import timedelta

import pytest
from django.db import transaction

from queueing.conf import get_queue
from queueing.errors import Rejected
from queueing.limits import backpressure
from queueing.models import Job
from queueing.record.database_thread import DatabaseThread
from queueing.recovery import reconcile
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import schedule_entry
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.record.moves import at_once, begin, end
from tests.support.valkey import point_at

pytestmark = pytest.mark.django_db(transaction=True)


def known(job: Job) -> bool:
    """Whether the schedule has it."""
    return redis_client.run(scripts.positions(job.queue, [job.id.hex])) != [None]


def put_back() -> int:
    """One look of reconciliation, by a worker that was just started."""

    async def look() -> int:
        database = DatabaseThread()
        try:
            return await reconcile.reconcile("w1", database)
        finally:
            database.close()
            await redis_client.aclose()

    return asyncio.run(look())


@pytest.fixture
def settled(monkeypatch):
    """Rows count as settled at once."""
    monkeypatch.setattr(reconcile, "_SETTLE_TIME", timedelta(0))


def test_the_same_request_is_the_same_job(valkey):
    first = submit("test.noop", {"n": 1}, owner="alice", request_id="r1")
    again = submit("test.noop", {"n": 2}, owner="alice", request_id="r1")
    assert (first.created, again.created, again.job) == (True, False, first.job)
    assert again.job.args == {"n": 1}
    assert redis_client.run(scripts.counts("test")).waiting == 1


def test_the_same_request_after_its_end_is_still_the_same_job(valkey):
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    end(begin(job))
    again = submit("test.noop", {}, owner="alice", request_id="r1")
    assert (again.created, again.job.state) == (False, State.COMPLETED)
    assert Job.objects.count() == 1


def test_another_owners_request_of_that_id_is_another_job(valkey):
    alice, bob = (submit("test.noop", {}, owner=owner, request_id="r1") for owner in ("alice", "bob"))
    assert alice.created
    assert bob.created
    assert alice.job != bob.job


@pytest.mark.parametrize("round_", range(5))
def test_the_same_request_at_the_same_moment_is_one_job(valkey, round_):
    found = at_once(*[lambda: submit("test.noop", {}, owner="alice", request_id="r1")] * 6)
    assert sorted(submission.created for submission in found) == [False] * 5 + [True]
    assert {submission.job for submission in found} == {Job.objects.get()}
    assert redis_client.run(scripts.counts("test", "alice")).owner_unfinished == 1


def test_the_same_request_within_a_transaction_leaves_the_transaction_whole(valkey):
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    with transaction.atomic():
        assert submit("test.noop", {}, owner="alice", request_id="r1").job == job
        submit("test.noop", {}, owner="alice", request_id="r2")
    assert Job.objects.count() == 2


def test_a_job_is_scheduled_only_when_its_transaction_commits(valkey):
    with transaction.atomic():
        job = submit("test.noop", {}).job
        assert not known(job)
    assert known(job)


def test_a_rolled_back_submission_leaves_neither_row_nor_schedule(valkey):
    with transaction.atomic():
        job = submit("test.noop", {}).job
        many = submit_many("test.noop", [{}] * 3)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert not any(known(j) for j in [job, *many])


def test_many_are_stored_and_scheduled_in_the_order_given(valkey):
    jobs = submit_many("test.noop", [{"n": n} for n in range(2500)])
    assert [job.args["n"] for job in Job.objects.order_by("id")] == list(range(2500))
    places = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [place.ahead for place in places] == list(range(2500))


def test_a_full_queue_stores_nothing(valkey, settings):
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


def test_what_was_accepted_while_redis_was_away_is_scheduled_later(valkey, settings, settled):
    point_at(settings, "redis://127.0.0.1:1/0")
    jobs = [submit("test.noop", {}, owner="alice").job, *submit_many("test.noop", [{}] * 3)]
    assert Job.objects.count() == 4
    point_at(settings, valkey.url)
    assert put_back() == 4
    assert put_back() == 0, "twice is as good as once"
    assert all(known(job) for job in jobs)


def test_a_lost_redis_gets_each_row_back_where_it_was(valkey, settled):
    waiting = submit("test.noop", {}).job
    delayed = submit("test.noop", {}, delay=60).job
    active = submit("test.noop", {}, owner="alice").job
    begin(active)
    retried = submit("test.noop", {}).job
    end(begin(retried), State.DELAYED, delay=30)
    over = submit("test.noop", {}).job
    end(begin(over))
    child = submit("test.noop", {}, depends_on=[waiting]).job
    valkey.client.flushall()
    assert put_back() == 4
    jobs = [waiting, delayed, active, retried, over, child]
    places = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [place and place.state for place in places] == [
        "waiting",
        "delayed",
        "active",
        "delayed",
        None,
        None,
    ]
    assert places[1].due == pytest.approx(60, abs=5)
    assert places[3].due == pytest.approx(30, abs=5)
    counts = redis_client.run(scripts.counts("test", "alice"))
    assert (counts.active, counts.owner_unfinished) == (1, 1)
    assert valkey.client.hgetall(scripts.key("claims")) == {active.id.hex: "c1/w/1"}


def test_more_rows_than_a_page_come_back_in_their_order(valkey, settled):
    jobs = submit_many("test.noop", [{"n": n} for n in range(2300)])
    valkey.client.flushall()
    assert put_back() == 2300
    places = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [place.ahead for place in places] == list(range(2300))


def test_a_delay_that_has_passed_is_no_delay(valkey):
    job = submit("test.noop", {}, delay=0.001).job
    job.refresh_from_db()
    assert schedule_entry(job).delay >= 0
