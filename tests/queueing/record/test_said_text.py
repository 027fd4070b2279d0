"""The text of a job that does not complete: what its owner has read stays (K9)."""

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.events.messages import terminal_event
from queueing.models import Job
from queueing.record.run import as_result
from queueing.recovery import stalled
from queueing.schedule import redis_client, scripts
from queueing.states import State

from .lifecycle import begin, end, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.mark.parametrize(
    ("first", "last", "stays"),
    [("Half an", "", "Half an"), ("Half an", "Ha", "Ha"), ("", "Ha", "Ha"), ("", "", "")],
)
@pytest.mark.parametrize("between", [State.DELAYED, State.WAITING])
def test_failed_job_has_the_text_of_the_last_run_that_had_some(first, last, stays, between):
    job = new_job(owner="alice")
    end(begin(job), between, text=first)
    end(begin(job, "c1/w/2"), between)
    [failed] = end(begin(job, "c1/w/3"), State.FAILED, text=last).won
    job.refresh_from_db()
    assert job.text == terminal_event(failed)["text"] == terminal_event(as_result(job))["text"] == stays


def test_completed_job_has_no_text_of_an_earlier_run():
    job = new_job()
    end(begin(job), State.DELAYED, text="Half an")
    [completed] = end(begin(job, "c1/w/2")).won
    job.refresh_from_db()
    assert (job.text, completed.text) == ("", "")


@pytest.mark.parametrize("how", ["fails again", "is cancelled"])
def test_retried_job_that_says_nothing_keeps_its_text(how):
    job = new_job()
    end(begin(job), State.FAILED, text="Half an")
    verbs.retry(job.id)
    if how == "fails again":
        end(begin(job, "c1/w/2"), State.FAILED)
    else:
        verbs.cancel(job.id)
    job.refresh_from_db()
    assert job.text == "Half an"


@pytest.mark.parametrize("stalls", [0, 2])
def test_text_of_a_lost_worker_stays_with_the_job(stalls):
    job = new_job()
    run = begin(job)
    Job.objects.filter(id=job.id).update(stalls=stalls)
    said = {run.id: "Half an"}
    stalled.record_stalls(get_queue(job.queue), [(run.id, run.token)], said)
    job.refresh_from_db()
    assert (job.text, job.state) == ("Half an", State.FAILED if stalls else State.WAITING)
    if not stalls:
        [failed] = end(begin(job, "c1/w/alone"), State.FAILED).won
        assert failed.text == "Half an"


async def test_texts_of_lost_workers_are_read_from_redis(valkey):
    ids = ["0" * 31 + "1", "0" * 31 + "2"]
    await redis_client.aclient().set(scripts.stream_key(ids[0]), "1\x1fHalf an")
    assert await stalled._texts_of(ids) == {ids[0]: "Half an"}
