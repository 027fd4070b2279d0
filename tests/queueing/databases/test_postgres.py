"""The engine on a real PostgreSQL: real workers, and a server that goes away in every way."""

import json
import signal

import pytest
from django.db import OperationalError, connection
from django_q.models import Success
from django_q.tasks import async_task

from queueing.models import FailedAttempt, Job
from queueing.record.threads import TidyThreads
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.record.lifecycle import new_job, result
from tests.queueing.testapp.models import Written
from tests.queueing.worker.results.test_result_writer import claim, settle
from tests.support.valkey import wait_until

UNAVAILABLE, AVAILABLE = "the database is unavailable", "the database is available again"


def completed() -> int:
    return Job.objects.filter(state=State.COMPLETED).count()


def outcomes() -> set[str]:
    return set(FailedAttempt.objects.values_list("outcome", flat=True))


def heartbeat_at() -> float:
    """Return when the worker was last heard."""
    return max(json.loads(text)["at"] for text in redis_client.client().hvals(scripts.key("workers")))


def finish_all(number: int) -> None:
    wait_until(lambda: Job.objects.filter(state__in=("completed", "failed")).count() == number, "all jobs")
    assert completed() == Written.objects.count() == number


def test_jobs_on_postgres_complete(postgres, qcluster):
    qcluster()
    for number in range(20):
        submit("test.sync", {"n": number}, owner="alice")
    wait_until(lambda: completed() == 20, "all jobs")
    assert connection.vendor == "postgresql"


def test_postgres_without_connections_refuses_new_ones(postgres):
    """The fixture does what it says."""
    with postgres.no_connections():
        connection.close()
        with pytest.raises(OperationalError, match="too many connections"):
            completed()
    connection.close()
    assert completed() == 0


def test_results_are_held_while_the_database_is_read_only(postgres, qcluster):
    """D1, E5: one line for each change, and no answer is lost or made twice."""
    cluster = qcluster()
    submit_many("test.rest", [{"seconds": 1.5}] * 20)
    wait_until(lambda: Job.objects.filter(state=State.ACTIVE).count() == 20, "all jobs to run")
    with postgres.read_only():
        wait_until(lambda: UNAVAILABLE in cluster.log.read_text(), "a refused result")
        before = heartbeat_at()
        wait_until(lambda: heartbeat_at() > before + 1.5, "some heartbeats")
    finish_all(20)
    assert not outcomes()
    assert set(Job.objects.values_list("attempts", "run_count")) == {(1, 1)}
    log = cluster.log.read_text()
    assert (log.count(UNAVAILABLE), log.count(AVAILABLE)) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "how"),
    [("test.rows", signal.SIGQUIT), ("test.plain_rows", signal.SIGINT)],
    ids=["crash", "stop"],
)
def test_restarts_of_postgres_spend_no_attempt(postgres, qcluster, kind, how):
    """D6: three restarts while handlers use the database; also crashes."""
    qcluster()
    submit_many(kind, [{"times": 25}] * 40)
    for number in (1, 12, 24):
        wait_until(lambda wanted=number: completed() >= wanted, f"{number} jobs")
        connection.close()
        postgres.restart(how)
    finish_all(40)
    assert outcomes() <= {"database"}
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


def test_workers_without_a_database_connection_spend_no_attempt(postgres, qcluster):
    """D2: jobs go on when connections can be had again."""
    cluster = qcluster()
    submit_many("test.rows", [{"times": 60}] * 20)
    wait_until(lambda: Job.objects.filter(state=State.ACTIVE).count() == 20, "all jobs to run")
    with postgres.no_connections():
        wait_until(lambda: UNAVAILABLE in cluster.log.read_text(), "the worker to notice")
    connection.close()
    finish_all(20)
    assert outcomes() <= {"database"}
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


def test_django_q_task_without_a_database_runs_again(postgres, qcluster):
    """D6: also a plain `async_task`."""
    cluster = qcluster()
    task = async_task("tests.queueing.testapp.jobs.count_twice", "asked")
    wait_until(lambda: redis_client.client().exists("note:asked"), "the task to begin")
    with postgres.no_connections():
        redis_client.client().rpush("note:go", 1, 1)  # for both runs
        wait_until(lambda: "it runs again" in cluster.log.read_text(), "the failure")
    connection.close()
    wait_until(lambda: Success.objects.filter(id=task).exists(), "the task to succeed")


@pytest.fixture
def refuse_bad(postgres) -> None:
    """Let the server refuse to complete the job with the request id `bad`, with an OperationalError."""
    postgres.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'too large' USING ERRCODE = '54000'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON queueing_job FOR EACH ROW
        WHEN (NEW.request_id = 'bad' AND NEW.state = 'completed') EXECUTE FUNCTION refuse()
        """,
        postgres.database,
    )


@pytest.mark.usefixtures("valkey", "refuse_bad")
@pytest.mark.parametrize("kind", ["test.noop", "test.echo"])
def test_refused_row_fails_alone_whatever_the_class_of_its_error(kind):
    """E5: an `OperationalError` is not always an outage; a trial tells."""
    for name in ("good", "bad", "fine"):
        new_job(kind, request_id=name, owner="alice")
    runs = claim()
    for run in runs:
        run.max_attempts = 1
    settle([result(run) for run in runs])
    states = dict(Job.objects.values_list("request_id", "state"))
    assert states == {"good": "completed", "bad": "failed", "fine": "completed"}
    assert Job.objects.get(request_id="bad").error_code == "unwritable"


def test_threads_of_a_process_without_a_pool_survive_a_restart_of_postgres(postgres):
    """D6: no call after the restart meets the connection of one before it."""
    threads = TidyThreads(1)
    assert threads.submit(completed).result() == 0
    postgres.restart()
    assert threads.submit(completed).result() == 0
    threads.shutdown()
