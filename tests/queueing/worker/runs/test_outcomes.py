"""What leaves a handler ends its run and no other. The job never stays active, the worker lives (E2, E8)."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.hostile import RESULTS, WAYS
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: These are retried after a year: all other ways are tried three times.
ENDLESS = "endless wait"


@pytest.fixture
def neighbour(qcluster, valkey):
    """A cluster of one worker that runs a job for the whole of the test. It must live, and run once."""
    cluster = qcluster()
    job = submit("test.sleep", {"seconds": 600}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the neighbour to start")
    workers = cluster.workers()
    yield job
    assert cluster.workers() == workers
    job.refresh_from_db()
    assert (job.state, job.run_count) == (State.ACTIVE, 1)
    assert finished(submit("test.noop", {}).job).state == State.COMPLETED
    verbs.cancel(job.id)
    log = cluster.log.read_text()
    assert "broke" not in log
    assert "never retrieved" not in log


def test_run_left_in_any_way_ends_alone(neighbour):
    kinds = ("test.leave", "test.leave-plain", "test.leave-child")
    jobs = {(kind, way): submit(kind, {"way": way}, owner="alice").job for kind in kinds for way in WAYS}
    later = [jobs.pop((kind, ENDLESS)) for kind in kinds]
    for way, job in jobs.items():
        ended = finished(job)
        assert (ended.state, ended.attempts, ended.stalls) == (State.FAILED, 3, 0), way
        assert [attempt.outcome for attempt in ended.failed_attempts.all()] == ["failed"] * 3, way
        assert ended.error
        assert ended.error_code
    for job in later:
        job.refresh_from_db()
        assert job.state == State.DELAYED
    assert finished(submit("test.leave-callback", {}).job).state == State.COMPLETED


def test_handler_that_cancels_itself_fails(neighbour):
    job = finished(submit("test.cancelled-inside", {}).job)
    assert (job.state, job.attempts) == (State.FAILED, 3)


@pytest.mark.parametrize("kind", ["test.endless", "test.swallow"])
def test_handler_without_end_is_timed_out(neighbour, kind):
    job = finished(submit(kind, {}).job)
    assert (job.state, job.error_code) == (State.FAILED, "timeout")


def test_result_that_is_not_json_fails_alone_and_texts_are_cleaned(neighbour):
    jobs = {way: submit("test.result", {"way": way}, owner="alice").job for way in RESULTS}
    stored = {
        "half a pair": {"response": "\ufffd"},
        "NUL": {"response": "a\ufffdb"},
        "tuple": {"n": [1, 2]},
        "number as key": {"1": "one"},
    }
    for way, job in jobs.items():
        ended = finished(job)
        if way in stored:
            assert (ended.state, ended.result) == (State.COMPLETED, stored[way]), way
        else:
            code = "result_too_large" if way == "size" else "result_not_json"
            assert (ended.state, ended.error_code, ended.attempts) == (State.FAILED, code, 1), way
            assert ended.failed_attempts.get().traceback


@pytest.mark.slow
def test_stopping_worker_gives_back_a_handler_that_ignores_its_cancellation(qcluster, valkey):
    cluster = qcluster(QUEUE_TEST_NARROW_TIMEOUT="600")
    job = submit("test.swallow", {}).job
    wait_until(lambda: Job.objects.filter(state=State.ACTIVE).exists(), "the start")
    assert cluster.stop(20) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts, job.stalls) == (State.WAITING, 0, 0)
    assert [attempt.outcome for attempt in job.failed_attempts.all()] == ["released"]
