"""Jobs that have completed when they are submitted: recorded and announced like any other."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection, transaction

from queueing import kinds
from queueing.control import verbs
from queueing.errors import BadSubmission
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import Submission, submit, submit_completed
from queueing.values.ids import new_id
from tests.support.valkey import point_at

from .testapp.models import Written

pytestmark = pytest.mark.django_db(transaction=True)

SAID = {"response": "all of it"}


def submit_answer(**more):
    return submit_completed("test.echo", {"text": "?"}, SAID, owner="alice", **more)


def test_submit_completed_sends_its_events_in_order(events_of):
    events = events_of(lambda: submit_answer(request_id="r1", meta={"threadId": "t1"}))
    assert [event["type"] for event in events] == [
        "test:queued",
        "test:started",
        "test:delta",
        "test:completed",
    ]
    assert all((event["requestId"], event["threadId"]) == ("r1", "t1") for event in events)
    assert (events[2]["run"], events[2]["offset"], events[2]["text"]) == (1, 0, "all of it")
    assert (events[3]["response"], events[3]["result"]) == ("all of it", SAID)


def test_submit_completed_has_one_terminal_state_and_one_hook_call(valkey):
    job = submit_answer().job
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts, job.run_count) == (State.COMPLETED, SAID, 1, 1)
    assert [row.state for row in Written.objects.filter(job_id=job.id.hex)] == ["completed"]
    assert redis_client.run(scripts.positions(job.queue, [job.id.hex])) == [None], "no line, no slot"


def test_submit_completed_with_job_id_creates_that_job(valkey):
    job_id = new_id()
    Written.objects.create(job_id=job_id.hex, state="prepared")
    job = submit_answer(job_id=job_id).job
    assert job.id == job_id
    assert [row.state for row in Written.objects.filter(job_id=job_id.hex)] == ["prepared", "completed"]


def test_submit_completed_carries_its_queued_event_after_the_commit(events_of):
    submissions = []

    def act():
        with transaction.atomic():
            submissions.append(submit_answer())
            assert submissions[0].queued_event is None

    assert events_of(act)[0] == submissions[0].queued_event
    assert submissions[0].queued_event["position"] is None


def test_submit_carries_the_queued_event_that_its_owner_got(events_of):
    submissions = []
    events = events_of(lambda: submissions.append(submit("test.noop", {}, owner="alice", request_id="r1")))
    assert events == [submissions[0].queued_event]
    assert (events[0]["type"], events[0]["position"]) == ("job:queued", 1)
    again = submit("test.noop", {}, owner="alice", request_id="r1")
    assert (again.job, again.queued_event) == (submissions[0].job, None)


def test_submit_without_owner_has_no_queued_event(valkey):
    assert submit("test.noop", {}).queued_event is None


def test_submit_with_job_id_creates_that_job(valkey):
    job_id = new_id()
    assert submit("test.noop", {}, job_id=job_id).job == Job.objects.get(id=job_id)


def test_submit_completed_whose_hook_raises_stores_nothing(events_of, monkeypatch):
    def fail(ending):
        raise RuntimeError("no room")

    monkeypatch.setitem(kinds._kinds, "test.echo", replace(kinds.get_kind("test.echo"), on_end=fail))

    def act():
        with pytest.raises(RuntimeError):
            submit_answer()

    assert events_of(act) == []
    assert not Job.objects.exists()
    assert not Written.objects.exists()


def test_submit_completed_rolled_back_with_the_callers_rows_stores_neither(valkey):
    with transaction.atomic():
        job_id = new_id()
        Written.objects.create(job_id=job_id.hex, state="prepared")
        submit_answer(job_id=job_id)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert not Written.objects.exists()


def test_submit_completed_rolled_back_sends_nothing(events_of):
    def act():
        with transaction.atomic():
            submit_answer()
            transaction.set_rollback(True)

    assert events_of(act) == []
    assert not Job.objects.exists()


def test_submit_completed_twice_with_one_request_id_is_one_job(valkey):
    first, again = submit_answer(request_id="r1"), submit_answer(request_id="r1")
    assert (first.created, again.created, again.job) == (True, False, first.job)
    earlier = submit("test.echo", {"text": "first"}, owner="alice", request_id="r2").job
    assert submit_answer(request_id="r2") == Submission(earlier, created=False)
    assert Written.objects.count() == 1


def test_submit_completed_concurrently_with_one_request_id_is_one_job(valkey):
    def one(_):
        try:
            return submit_answer(request_id="r1")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        submissions = list(pool.map(one, range(8)))
    assert len({submission.job.id for submission in submissions}) == 1
    assert sum(submission.created for submission in submissions) == 1
    assert Written.objects.count() == 1


def test_submit_completed_on_a_paused_queue_completes(valkey):
    verbs.pause("test")
    assert submit_answer().job.is_finished


def test_submit_completed_without_redis_completes(valkey, settings):
    point_at(settings, "redis://127.0.0.1:1/0")
    job = submit_answer().job
    job.refresh_from_db()
    assert job.state == State.COMPLETED


def test_dependent_of_a_completed_submission_does_not_wait(valkey):
    job = submit_answer().job
    assert not submit("test.noop", {}, depends_on=[job]).job.unfinished_parents


def test_submit_completed_of_an_unknown_kind_names_the_field(valkey):
    with pytest.raises(BadSubmission) as caught:
        submit_completed("test.nowhere", {}, SAID)
    assert caught.value.field == "kind"
