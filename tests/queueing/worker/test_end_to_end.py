"""The engine with real workers: every accepted job is done once, in the right way."""

import pytest
from django.db import transaction

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.testapp.models import Written
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def finished(job: Job) -> Job:
    """Wait until the job is finished and return it."""

    def finished_row() -> Job | None:
        job.refresh_from_db()
        return job if job.is_finished else None

    wait_until(finished_row, f"job {job.kind} to finish")
    return job


def test_coroutine_handler_is_awaited_and_its_result_recorded(qcluster):
    qcluster()
    job = finished(submit("test.echo", {"text": "one two three"}, owner="alice").job)
    assert job.state == State.COMPLETED
    assert job.result == {"response": "one two three "}
    assert job.attempts == 1
    assert Written.objects.get().state == "completed"


def test_plain_handler_runs_in_a_thread_with_preloaded_modules(qcluster):
    qcluster()
    result = finished(submit("test.sync", {"n": 12}).job).result
    assert result["square"] == 144
    assert result["preloaded"] == result["parent"]


def test_thousand_jobs_all_complete(qcluster, valkey):
    qcluster()
    submit_many("test.noop", [{"n": n} for n in range(1000)])
    wait_until(lambda: not Job.objects.exclude(state=State.COMPLETED).exists(), "all jobs")
    assert Job.objects.count() == 1000
    wait_until(lambda: not valkey.client.hlen("{buddy}:jobs"), "Redis to forget them")


def test_submission_rolled_back_leaves_nothing(qcluster):
    qcluster()
    with transaction.atomic():
        submit("test.noop", {})
        transaction.set_rollback(True)
    assert not Job.objects.exists()


@pytest.mark.parametrize("how", ["error", "retry"])
def test_failed_attempt_is_retried(qcluster, how):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 2, "how": how}).job)
    assert (job.state, job.attempts) == (State.COMPLETED, 3)
    assert [a.outcome for a in job.failed_attempts.all()] == ["failed", "failed"]


def test_job_without_attempts_left_fails(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 9}).job)
    assert (job.state, job.attempts, job.error_code) == (State.FAILED, 3, "RuntimeError")
    assert "flaky" in job.failed_attempts.last().traceback
    assert Written.objects.get().state == "failed"


def test_permanent_error_fails_at_once(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 9, "how": "permanent"}).job)
    assert (job.state, job.attempts, job.error) == (State.FAILED, 1, "It cannot work.")


def test_cooldown_spends_no_attempt(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 2, "how": "cooldown"}).job)
    assert (job.state, job.attempts) == (State.COMPLETED, 1)
    assert [a.outcome for a in job.failed_attempts.all()] == ["cooldown", "cooldown"]


def test_attempt_over_its_timeout_is_stopped(qcluster):
    qcluster()
    job = finished(submit("test.narrow", {"seconds": 60}).job)
    assert (job.state, job.error_code) == (State.FAILED, "timeout")


def test_failed_job_can_be_retried_by_hand(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 1, "how": "permanent"}).job)
    assert finished(verbs.retry(job.id)).state == State.COMPLETED


def test_active_job_cancelled_from_another_process_stops(qcluster, valkey):
    qcluster()
    job = submit("test.sleep", {"seconds": 60}, owner="alice").job
    wait_until(lambda: valkey.client.lrange("note:sleep:started", 0, -1), "the job to start")
    assert verbs.cancel(job.id).state == State.CANCELLED
    wait_until(lambda: valkey.client.lrange("note:sleep:cancelled", 0, -1), "the coroutine to stop", 1.0)
    assert Written.objects.get().state == "cancelled"


def test_cancelled_job_in_a_database_loop_stops(qcluster, valkey):
    qcluster()
    job = submit("test.database", {}, owner="alice").job
    wait_until(lambda: valkey.client.llen("note:database:started"), "the job to start")
    verbs.cancel(job.id)
    wait_until(lambda: valkey.client.llen("note:database:ended"), "the coroutine to stop", 1.0)


def test_concurrency_of_two_runs_two_at_a_time(qcluster, valkey):
    qcluster()
    jobs = submit_many("test.narrow", [{"seconds": 0.1}] * 8)
    for job in jobs:
        finished(job)
    events = [(float(x.split(":")[1]), +1) for x in valkey.client.lrange("note:narrow:started", 0, -1)]
    events += [(float(x.split(":")[1]), -1) for x in valkey.client.lrange("note:narrow:ended", 0, -1)]
    running = 0
    for _, change in sorted(events):
        running += change
        assert running <= 2


def test_limiter_of_two_never_starts_three_in_its_window(qcluster, valkey):
    qcluster()
    for job in submit_many("test.limited", [{}] * 5):
        finished(job)
    starts = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert all(third - first >= 3 for first, third in zip(starts, starts[2:], strict=False))


def test_limiter_holds_when_the_database_delays_the_start(qcluster, valkey):
    jobs = submit_many("test.limited", [{}] * 3)
    starts = scripts.queue_key("test-limited", "limiter_starts")
    with transaction.atomic():
        Job.objects.update(meta={})  # locks the rows against other writers
        qcluster()
        wait_until(lambda: valkey.client.zcard(starts) == 2, "two claims")
        claimed = valkey.client.zrange(starts, 0, 0, withscores=True)[0][1] / 1000
        wait_until(lambda: valkey.client.time()[0] > claimed + 1, "a second to pass")
    for job in jobs:
        finished(job)
    first, _, third = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert third - first >= 3


def test_job_of_a_killed_worker_runs_again(qcluster):
    qcluster()
    job = finished(submit("test.crash", {"times": 1}).job)
    assert (job.state, job.stalls) == (State.COMPLETED, 1)


@pytest.mark.slow
def test_job_that_kills_every_worker_fails(qcluster):
    qcluster()
    job = finished(submit("test.crash", {"times": 99}).job)
    assert (job.state, job.error_code) == (State.FAILED, "stalled")


def test_redis_flushed_loses_no_job(qcluster, valkey):
    jobs = submit_many("test.echo", [{"text": f"number {n}"} for n in range(50)])
    valkey.client.flushall()
    qcluster()
    for job in jobs:
        assert finished(job).state == State.COMPLETED
    assert Written.objects.count() == 50


def test_stopped_cluster_releases_running_jobs_without_spending_attempts(qcluster, valkey):
    cluster = qcluster()
    job = submit("test.sleep", {"seconds": 4}).job
    wait_until(lambda: valkey.client.lrange("note:sleep:started", 0, -1), "the job to start")
    assert cluster.stop() == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    qcluster()
    assert finished(job).state == State.COMPLETED
    assert [a.outcome for a in job.failed_attempts.all()] == ["released"]
