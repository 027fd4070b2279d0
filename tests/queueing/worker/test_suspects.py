"""After a crash the jobs of the dead worker run alone. Only what kills a process alone is failed (E3, E4)."""

import pytest
from django_q.models import Failure, Success
from django_q.tasks import async_task

from queueing import texts
from queueing.conf import get_queue
from queueing.control import verbs
from queueing.models import FailedAttempt, Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.testapp.models import Written
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def crash_together(valkey, hows, neighbours):
    """Submit killers and neighbours, and let them go when all run."""
    killers = [submit("test.killer", {"how": how}, owner="alice").job for how in hows]
    others = [submit("test.neighbour", {}, owner="bob").job for _ in range(neighbours)]
    wait_until(
        lambda: (
            valkey.client.llen("note:killers") + valkey.client.llen("note:neighbours")
            >= len(hows) + neighbours
        ),
        "all to run",
    )
    valkey.client.set("note:all-run", 1)
    return killers, others


def pids(valkey, key):
    return [entry.split(":")[0] for entry in valkey.client.lrange(key, 0, -1)]


def test_crash_of_a_worker_spends_no_attempt_of_its_other_jobs(qcluster, valkey):
    qcluster()
    (killer,), others = crash_together(valkey, ["kill"], 3)
    for job in others:
        ended = finished(job)
        assert (ended.state, ended.attempts, ended.stalls) == (State.COMPLETED, 1, 0)
        (lost,) = ended.failed_attempts.all()
        assert lost.error == texts.worker_died(4)
    alone = pids(valkey, "note:neighbours")[3:]
    assert len(set(alone)) == len(alone) == 3, "each ran in a process of its own"
    assert not set(alone) & set(pids(valkey, "note:killers"))
    verbs.cancel(killer.id)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "exit", "segv"])
def test_job_that_kills_its_workers_fails_alone(qcluster, valkey, how):
    clusters = [qcluster(), qcluster()]
    killers, others = crash_together(valkey, [how, how], 20)
    for job in killers:
        ended = finished(job)
        assert (ended.state, ended.error_code, ended.stalls) == (State.FAILED, "stalled", 2)
        errors = [attempt.error for attempt in ended.failed_attempts.all()]
        assert errors[1:3] == [texts.worker_died(1)] * 2
        assert errors[0] != texts.worker_died(1)
    for job in others:
        ended = finished(job)
        assert (ended.state, ended.stalls) == (State.COMPLETED, 0)
    assert sorted(Written.objects.values_list("job_id", flat=True)) == sorted(
        job.id.hex for job in [*killers, *others]
    )
    assert FailedAttempt.objects.exclude(outcome="stalled").count() == 0
    wait_until(lambda: not valkey.client.hlen("{buddy}:jobs"), "Redis to forget them")
    for cluster in clusters:
        wait_until(lambda cluster=cluster: len(cluster.workers()) == 1, "the probers to end")


@pytest.mark.slow
def test_ordinary_jobs_go_on_while_suspects_run_alone(qcluster, valkey):
    cluster = qcluster()
    killers, _ = crash_together(valkey, ["kill"] * 3, 3)
    wait_until(
        lambda: Job.objects.filter(suspect=True, state=State.ACTIVE).exists(), "a suspect to run alone"
    )
    ordinary = [finished(submit("test.echo", {"text": "x"}).job) for _ in range(20)]
    assert {job.run_count for job in ordinary} == {1}
    for job in killers:
        assert finished(job).error_code == "stalled"
    assert cluster.exit_code is None


def test_suspects_survive_a_redis_that_lost_its_data(qcluster, valkey):
    job = submit("test.echo", {"text": "x"}).job
    Job.objects.update(suspect=True)
    valkey.client.flushall()
    qcluster()
    ended = finished(job)
    assert (ended.state, ended.run_count) == (State.COMPLETED, 1)
    assert scripts.is_alone(ended.token)


def test_suspect_in_a_paused_queue_waits(qcluster, valkey):
    job = submit("test.echo", {"text": "x"}).job
    Job.objects.update(suspect=True)
    redis_client.run(scripts.remove("test", [job.id.hex]))
    verbs.pause("test")
    cluster = qcluster()
    wait_until(lambda: len(cluster.workers()) == 2, "a prober")
    job.refresh_from_db()
    assert job.state == State.WAITING
    verbs.resume("test")
    assert finished(job).state == State.COMPLETED


@pytest.mark.slow
def test_task_of_django_q2_that_kills_its_workers_is_a_failure(qcluster, valkey):
    qcluster()
    killer = async_task("tests.queueing.testapp.killers.kill_as_task")
    wait_until(lambda: Failure.objects.filter(id=killer).exists(), "the failure", 60)
    assert Failure.objects.get(id=killer).result == texts.KILLS_WORKERS
    assert valkey.client.llen("note:tasks") == 3
    wait_until(lambda: not valkey.client.exists("{buddy}:suspects", "{buddy}:packages"), "Redis to forget it")
    shout = async_task("tests.queueing.testapp.jobs.shout", "hello")
    wait_until(lambda: Success.objects.filter(id=shout).exists(), "another task")


def test_task_of_django_q2_that_has_killed_too_many_workers_is_saved_as_a_failure(qcluster, valkey):
    task_id = async_task("tests.queueing.testapp.killers.kill_as_task")
    (package,) = valkey.client.hkeys("{buddy}:packages")
    redis_client.run(scripts.remove("django-q", [package]))
    valkey.client.hset("{buddy}:suspects", package, get_queue("django-q").max_stalled + 1)
    qcluster()
    wait_until(lambda: Failure.objects.filter(id=task_id).exists(), "the failure")
    assert not valkey.client.llen("note:tasks")
    wait_until(lambda: not valkey.client.exists("{buddy}:suspects", "{buddy}:packages"), "Redis to forget it")


def test_task_of_django_q2_that_exits_is_a_failure(qcluster):
    cluster = qcluster()
    workers = cluster.workers()
    ways = [
        "sys.exit",
        "tests.queueing.testapp.hostile.leave_with_a_base_exception",
        "no.such.module",
        "os.getcwdb",
    ]
    tasks = [async_task(way) for way in ways[:3]]
    for task_id in tasks:
        wait_until(lambda task_id=task_id: Failure.objects.filter(id=task_id).exists(), "the failure")
    assert cluster.workers() == workers


@pytest.mark.slow
def test_stopping_worker_gives_a_task_of_django_q2_back(qcluster, valkey):
    cluster = qcluster()
    async_task("time.sleep", 600)
    wait_until(lambda: valkey.client.hlen("{buddy}:claims"), "the start")
    assert cluster.stop(20) == 0
    assert not valkey.client.hlen("{buddy}:claims")
    assert redis_client.run(scripts.counts("django-q")).waiting == 1
    assert not valkey.client.exists("{buddy}:suspects")


def test_suspect_of_a_busy_queue_gets_the_next_slot(qcluster, valkey):
    qcluster()
    suspect = submit("test.narrow", {}).job
    wait_until(lambda: Job.objects.get(id=suspect.id).is_finished, "the first run")
    busy = submit_many("test.narrow", [{"seconds": 0.3}] * 40)
    wait_until(lambda: Job.objects.filter(state=State.ACTIVE).count() == 2, "a full queue")
    Job.objects.filter(id=suspect.id).update(state=State.WAITING, finished_at=None, suspect=True)
    assert scripts.is_alone(finished(suspect).token)
    assert Job.objects.filter(id__in=[job.id for job in busy], finished_at=None).exists()
    verbs.drain_some("test-narrow")
