"""Work that has ended when it is submitted: recorded and told like any other."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

from queueing.control import verbs
from queueing.errors import BadSubmission
from queueing.events.delivery import group_of
from queueing.ids import new_id
from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import Submission, submit, submit_completed
from tests.support.valkey import point_at

from .testapp.models import Written

pytestmark = pytest.mark.django_db(transaction=True)

SAID = {"response": "all of it"}


def done(**more):
    return submit_completed("test.echo", {"text": "?"}, SAID, owner="alice", **more)


@pytest.fixture
def heard(valkey):
    """What alice's socket is sent, once the block that is given to it has run."""

    async def listen(act):
        layer = get_channel_layer()
        mine, strangers = await layer.new_channel(), await layer.new_channel()
        await layer.group_add(group_of("alice"), mine)
        await layer.group_add(group_of("bob"), strangers)
        await in_thread(act)()
        await layer.group_send(group_of("alice"), {"type": "last"})
        await layer.group_send(group_of("bob"), {"type": "last"})
        found = []
        while (message := await layer.receive(mine))["type"] != "last":
            found.append(message["event"])
        assert (await layer.receive(strangers))["type"] == "last"
        return found

    return async_to_sync(listen)


def test_it_is_told_from_queued_to_completed_in_order(heard):
    told = heard(lambda: done(request_id="r1", meta={"threadId": "t1"}))
    assert [event["type"] for event in told] == [
        "test:queued",
        "test:started",
        "test:delta",
        "test:completed",
    ]
    assert all((event["requestId"], event["threadId"]) == ("r1", "t1") for event in told)
    assert (told[2]["run"], told[2]["offset"], told[2]["text"]) == (1, 0, "all of it")
    assert (told[3]["response"], told[3]["result"]) == ("all of it", SAID)


def test_it_has_one_terminal_state_and_its_hook_ran_once(valkey):
    job = done().job
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts, job.run_count) == (State.COMPLETED, SAID, 1, 1)
    assert [row.state for row in Written.objects.filter(job_id=job.id.hex)] == ["completed"]
    assert redis_client.run(scripts.positions(job.queue, [job.id.hex])) == [None], "no line, no slot"


def test_the_callers_rows_are_there_before_the_hook(valkey):
    seen = []
    job = done(rows=lambda job: seen.append((job.id, Written.objects.exists()))).job
    assert seen == [(job.id, False)]


def test_submit_completed_with_job_id_creates_that_job(valkey):
    job_id = new_id()
    Written.objects.create(job_id=job_id.hex, state="prepared")
    job = done(job_id=job_id).job
    assert job.id == job_id
    assert [row.state for row in Written.objects.filter(job_id=job_id.hex)] == ["prepared", "completed"]


def test_submit_completed_carries_its_queued_event_after_the_commit(heard):
    submissions = []

    def act():
        with transaction.atomic():
            submissions.append(done())
            assert submissions[0].queued_event is None

    assert heard(act)[0] == submissions[0].queued_event
    assert submissions[0].queued_event["position"] is None


def test_submit_carries_the_queued_event_that_its_owner_got(heard):
    submissions = []
    told = heard(lambda: submissions.append(submit("test.noop", {}, owner="alice", request_id="r1")))
    assert told == [submissions[0].queued_event]
    assert (told[0]["type"], told[0]["position"]) == ("job:queued", 1)
    again = submit("test.noop", {}, owner="alice", request_id="r1")
    assert (again.job, again.queued_event) == (submissions[0].job, None)


def test_submit_without_owner_has_no_queued_event(valkey):
    assert submit("test.noop", {}).queued_event is None


def test_submit_with_job_id_creates_that_job(valkey):
    job_id = new_id()
    assert submit("test.noop", {}, job_id=job_id).job == Job.objects.get(id=job_id)


def test_what_the_caller_cannot_write_is_not_done(heard):
    def fails(job):
        raise RuntimeError("no room")

    def act():
        with pytest.raises(RuntimeError):
            done(rows=fails)

    assert heard(act) == []
    assert not Job.objects.exists()
    assert not Written.objects.exists()


def test_nothing_is_told_of_a_transaction_that_is_taken_back(heard):
    def act():
        with transaction.atomic():
            done()
            transaction.set_rollback(True)

    assert heard(act) == []
    assert not Job.objects.exists()


def test_the_same_request_is_the_same_job(valkey):
    first, again = done(request_id="r1"), done(request_id="r1")
    assert (first.created, again.created, again.job) == (True, False, first.job)
    earlier = submit("test.echo", {"text": "first"}, owner="alice", request_id="r2").job
    assert done(request_id="r2") == Submission(earlier, created=False)
    assert Written.objects.count() == 1


def test_the_same_request_at_the_same_moment_is_one_job(valkey):
    def one(_):
        try:
            return done(request_id="r1")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        submissions = list(pool.map(one, range(8)))
    assert len({submission.job.id for submission in submissions}) == 1
    assert sum(submission.created for submission in submissions) == 1
    assert Written.objects.count() == 1


def test_a_paused_queue_does_not_hold_it_up(valkey):
    verbs.pause("test")
    assert done().job.is_finished


def test_a_redis_that_is_away_does_not_either(valkey, settings):
    point_at(settings, "redis://127.0.0.1:1/0")
    job = done().job
    job.refresh_from_db()
    assert job.state == State.COMPLETED


def test_what_waits_for_it_runs_at_once(valkey):
    job = done().job
    assert not submit("test.noop", {}, depends_on=[job]).job.unfinished_parents


def test_wrong_arguments_are_named(valkey):
    with pytest.raises(BadSubmission) as caught:
        submit_completed("test.nowhere", {}, SAID)
    assert caught.value.field == "kind"
