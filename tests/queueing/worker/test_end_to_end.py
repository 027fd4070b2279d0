"""The engine with real workers: what was accepted is done, once, in the right way."""

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
    """The job once it is over."""

    def over() -> Job | None:
        job.refresh_from_db()
        return job if job.is_finished else None

    wait_until(over, f"job {job.kind} to finish")
    return job


def test_a_coroutine_is_awaited_and_its_result_recorded(qcluster):
    qcluster()
    job = finished(submit("test.echo", {"text": "one two three"}, owner="alice").job)
    assert job.state == State.COMPLETED
    assert job.result == {"response": "one two three "}
    assert job.attempts == 1
    assert Written.objects.get().state == "completed"


def test_a_plain_function_runs_in_a_thread_and_has_what_the_cluster_imported_before_it_forked(qcluster):
    qcluster()
    result = finished(submit("test.sync", {"n": 12}).job).result
    assert result["square"] == 144
    assert result["preloaded"] == result["parent"]


def test_a_thousand_jobs_are_all_done(qcluster, valkey):
    qcluster()
    submit_many("test.noop", [{"n": n} for n in range(1000)])
    wait_until(lambda: not Job.objects.exclude(state=State.COMPLETED).exists(), "all jobs")
    assert Job.objects.count() == 1000
    wait_until(lambda: not valkey.client.hlen("{buddy}:jobs"), "Redis to forget them")


def test_a_rolled_back_submission_leaves_nothing(qcluster):
    qcluster()
    with transaction.atomic():
        submit("test.noop", {})
        transaction.set_rollback(True)
    assert not Job.objects.exists()


@pytest.mark.parametrize("how", ["error", "retry"])
def test_a_failed_attempt_is_tried_again(qcluster, how):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 2, "how": how}).job)
    assert (job.state, job.attempts) == (State.COMPLETED, 3)
    assert [a.outcome for a in job.failed_attempts.all()] == ["failed", "failed"]


def test_attempts_come_to_an_end(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 9}).job)
    assert (job.state, job.attempts, job.error_code) == (State.FAILED, 3, "RuntimeError")
    assert "flaky" in job.failed_attempts.last().traceback
    assert Written.objects.get().state == "failed"


def test_what_cannot_get_better_fails_at_once(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 9, "how": "permanent"}).job)
    assert (job.state, job.attempts, job.error) == (State.FAILED, 1, "No use trying.")


def test_a_cooldown_spends_no_attempt(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 2, "how": "cooldown"}).job)
    assert (job.state, job.attempts) == (State.COMPLETED, 1)
    assert [a.outcome for a in job.failed_attempts.all()] == ["cooldown", "cooldown"]


def test_an_attempt_that_takes_too_long_is_stopped(qcluster):
    qcluster()
    job = finished(submit("test.narrow", {"seconds": 60}).job)
    assert (job.state, job.error_code) == (State.FAILED, "timeout")


def test_a_failed_job_can_be_run_anew(qcluster):
    qcluster()
    job = finished(submit("test.flaky", {"fail": 1, "how": "permanent"}).job)
    assert finished(verbs.retry(job.id)).state == State.COMPLETED


def test_an_active_job_is_cancelled_from_another_process(qcluster, valkey):
    qcluster()
    job = submit("test.sleep", {"seconds": 60}, owner="alice").job
    wait_until(lambda: valkey.client.lrange("note:sleep:started", 0, -1), "the job to start")
    assert verbs.cancel(job.id).state == State.CANCELLED
    wait_until(lambda: valkey.client.lrange("note:sleep:cancelled", 0, -1), "the coroutine to stop", 1.0)
    assert Written.objects.get().state == "cancelled"


def test_a_job_that_is_always_in_the_database_is_cancelled_too(qcluster, valkey):
    qcluster()
    job = submit("test.database", {}, owner="alice").job
    wait_until(lambda: valkey.client.llen("note:database:started"), "the job to start")
    verbs.cancel(job.id)
    wait_until(lambda: valkey.client.llen("note:database:ended"), "the coroutine to stop", 1.0)


def test_two_at_a_time_means_two(qcluster, valkey):
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


def test_the_limiter_never_lets_three_start_in_its_window(qcluster, valkey):
    qcluster()
    for job in submit_many("test.limited", [{}] * 5):
        finished(job)
    starts = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert all(third - first >= 3 for first, third in zip(starts, starts[2:], strict=False))


def test_the_limiter_holds_however_long_the_database_takes_to_begin_a_job(qcluster, valkey):
    jobs = submit_many("test.limited", [{}] * 3)
    starts = scripts.queue_key("test-limited", "limiter_starts")
    with transaction.atomic():
        Job.objects.update(meta={})  # nobody else writes these rows meanwhile
        qcluster()
        wait_until(lambda: valkey.client.zcard(starts) == 2, "two claims")
        claimed = valkey.client.zrange(starts, 0, 0, withscores=True)[0][1] / 1000
        wait_until(lambda: valkey.client.time()[0] > claimed + 1, "a second to pass")
    for job in jobs:
        finished(job)
    first, _, third = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert third - first >= 3


def test_a_killed_worker_is_replaced_and_its_job_runs_again(qcluster):
    qcluster()
    job = finished(submit("test.crash", {"times": 1}).job)
    assert (job.state, job.stalls) == (State.COMPLETED, 1)


@pytest.mark.slow
def test_a_job_that_keeps_killing_workers_fails(qcluster):
    qcluster()
    job = finished(submit("test.crash", {"times": 99}).job)
    assert (job.state, job.error_code) == (State.FAILED, "stalled")


def test_a_flushed_redis_loses_nothing(qcluster, valkey):
    jobs = submit_many("test.echo", [{"text": f"number {n}"} for n in range(50)])
    valkey.client.flushall()
    qcluster()
    for job in jobs:
        assert finished(job).state == State.COMPLETED
    assert Written.objects.count() == 50


def test_stopping_is_not_failing(qcluster, valkey):
    cluster = qcluster()
    job = submit("test.sleep", {"seconds": 4}).job
    wait_until(lambda: valkey.client.lrange("note:sleep:started", 0, -1), "the job to start")
    assert cluster.stop() == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    qcluster()
    assert finished(job).state == State.COMPLETED
    assert [a.outcome for a in job.failed_attempts.all()] == ["released"]
