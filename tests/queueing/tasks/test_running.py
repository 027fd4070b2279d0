"""Conformance of the backend in real workers. docs/django-tasks.md lists the clauses (T13 to T24)."""

import os
import signal
from datetime import timedelta

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.utils import timezone

from queueing.control import verbs
from queueing.models import Job, LogLine
from queueing.record.job_spec import JobSpec
from queueing.schedule import redis_client
from queueing.submit import submit_spec
from queueing.tasks import errors
from tests.queueing.testapp import tasks
from tests.support.valkey import wait_until

from .framework import Status, api, finished

pytestmark = pytest.mark.django_db(transaction=True)


def notes(key: str) -> list[str]:
    """Return what tasks have noted."""
    return redis_client.client().lrange(f"note:{key}", 0, -1)


def test_functions_and_coroutine_functions_run_and_their_values_are_read_anywhere(qcluster):
    """T13: in the process that enqueued them, with another backend object, and enqueued by a task."""
    qcluster()
    sums = tasks.add.using(backend="alone", queue_name="test").enqueue(1, 2, label="x")
    doubled, nested = tasks.double.enqueue(21), tasks.send_twice.enqueue(4)
    assert finished(sums).return_value == {"sum": 3, "label": "x"}
    assert finished(doubled).return_value == 42
    assert finished(tasks.add.get_result(finished(nested).return_value)).return_value == {"sum": 8}
    for result in (sums, doubled):
        assert (result.status, result.attempts, result.errors) == (Status.SUCCESSFUL, 1, [])
        assert result.enqueued_at <= result.started_at == result.last_attempted_at <= result.finished_at
        assert result == api.task_backends["default"].get_result(result.id)
    committed = []
    with transaction.atomic():
        committed.append(tasks.double.enqueue(1))
        assert not notes("nothing")
    assert finished(committed[0]).return_value == 2


def test_context_says_which_attempt_runs_and_has_our_context(qcluster):
    """T14: the attempt counts from 1; the errors of earlier attempts are there."""
    qcluster()
    first = tasks.introduce.using(priority=9).enqueue()
    result = finished(tasks.describe.enqueue("x"))
    assert result.return_value == {
        "name": "x",
        "attempt": 2,
        "id": result.id,
        "status": "RUNNING",
        "workers": 2,
        "errors": ["queueing.errors.Retry"],
        "job": result.id,
    }
    assert LogLine.objects.get().line == "second attempt"
    assert (result.attempts, len(set(result.worker_ids))) == (2, 2)
    assert result.started_at < result.last_attempted_at
    assert finished(first).return_value == [1, "default", 9, [], True, "default"]


@pytest.mark.parametrize("task", [tasks.fail, tasks.fail_async])
def test_whatever_leaves_a_task_is_a_failure_that_is_tried_again(qcluster, task):
    """T15: also `SystemExit` and `KeyboardInterrupt`, which a worker survives. Attempts keep their errors."""
    cluster = qcluster()
    workers = cluster.workers()
    expected = {
        "error": "tests.queueing.testapp.tasks.Odd",
        "exit": "builtins.SystemExit",
        "interrupt": "builtins.KeyboardInterrupt",
    }
    results = {how: task.enqueue(how) for how in expected}
    for how, path in expected.items():
        result = finished(results[how])
        assert (result.status, result.attempts, len(set(result.worker_ids))) == (Status.FAILED, 3, 3)
        assert [error.exception_class_path for error in result.errors] == [path] * 3
        assert issubclass(result.errors[0].exception_class, BaseException)
        assert "testapp/tasks.py" in result.errors[0].traceback
        with pytest.raises(ValueError, match="Task failed"):
            _ = result.return_value
    assert cluster.workers() == workers


def test_failure_that_another_attempt_cannot_help_is_final(qcluster):
    """T16: `Permanent`, and a value that is not JSON: with `TypeError`, as the framework says."""
    qcluster()
    expected = {
        "permanent": "queueing.errors.Permanent",
        "set": "builtins.TypeError",
        "nan": "builtins.ValueError",
        "large": "builtins.ValueError",
    }
    results = {how: tasks.fail.enqueue(how) for how in expected}
    good = {how: tasks.fail.enqueue(how) for how in ("bytes", "tuple")}
    for how, path in expected.items():
        result = finished(results[how])
        assert (result.status, result.attempts) == (Status.FAILED, 1)
        assert [error.exception_class_path for error in result.errors] == [path]
    assert finished(good["bytes"]).return_value == "ok"
    assert finished(good["tuple"]).return_value == [1, [2]]


def test_task_that_exceeds_the_timeout_fails_with_timeout_error(qcluster):
    """T16."""
    qcluster()
    result = finished(tasks.sleep.using(queue_name="test-narrow").enqueue("slow", 60))
    assert result.status == Status.FAILED
    assert [error.exception_class for error in result.errors] == [TimeoutError]


def test_running_task_is_running_and_between_attempts_ready(qcluster):
    """T17."""
    qcluster()
    result = tasks.sleep.enqueue("running", 60)
    wait_until(lambda: notes("running"), "the start")
    result.refresh()
    assert (result.status, result.attempts, result.finished_at) == (Status.RUNNING, 1, None)
    assert result.started_at == result.last_attempted_at
    retried = tasks.fail.using(queue_name="test").enqueue("error")
    wait_until(lambda: Job.objects.filter(id=retried.id, state="delayed").exists(), "the backoff")
    seen = tasks.fail.get_result(retried.id)
    assert (seen.status, seen.attempts >= 1, len(seen.errors)) == (Status.READY, True, seen.attempts)


def test_larger_priorities_start_first_and_none_before_its_time(qcluster):
    """T18."""
    at = timezone.now() + timedelta(seconds=3)
    later = tasks.noted.using(priority=100, run_after=at).enqueue("order", "later")
    for priority in (-100, 0, 50, -1, 100, 49):
        tasks.noted.using(priority=priority).enqueue("order", priority)
    qcluster(TEST_SLOTS="1")
    assert finished(later).started_at >= at
    wait_until(lambda: len(notes("order")) == 7, "all tasks")
    assert [note for note in notes("order") if note != "later"] == ["100", "50", "49", "0", "-1", "-100"]


def test_cancelled_task_has_failed_and_says_why(qcluster):
    """T19: while it waits, and while it runs. `cancel` takes the id of the result."""
    qcluster()
    running, waiting = (
        tasks.sleep.enqueue("cancelled", 60),
        tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1),
    )
    wait_until(lambda: notes("cancelled"), "the start")
    for result, attempts in ((running, 1), (waiting, 0)):
        verbs.cancel(result.id)
        result.refresh()
        assert (result.status, result.attempts) == (Status.FAILED, attempts)
        assert [error.exception_class for error in result.errors] == [errors.Cancelled]


def test_retry_by_a_person_begins_again(qcluster):
    """T19: with all attempts, and without the errors of the earlier ones."""
    qcluster()
    result = finished(tasks.fail.enqueue("permanent"))
    Job.objects.filter(id=result.id).update(args={"args": ["bytes"], "kwargs": {}})
    verbs.retry(result.id)
    again = finished(result)
    assert (again.return_value, again.attempts, again.errors) == ("ok", 1, [])
    assert again.started_at > result.enqueued_at


@pytest.mark.parametrize(("how", "attempts"), [("well", 1), ("exit", 1), ("fail", 3)])
def test_signals_of_workers_are_sent_once_and_their_receivers_change_nothing(qcluster, how, attempts):
    """T20: `task_finished` after the record has the outcome; receivers raise, one of them `SystemExit`."""
    cluster = qcluster()
    result = finished(tasks.watched.enqueue(how=how))
    status = Status.FAILED if how == "fail" else Status.SUCCESSFUL
    started = ["started RUNNING RUNNING QueueingBackend"] * attempts
    expected = [*started, f"finished {status} {status} QueueingBackend"]
    wait_until(lambda: len(notes(f"signals:{result.id}")) >= len(expected), "the signals")
    assert cluster.stop() == 0
    assert notes(f"signals:{result.id}") == expected
    assert (result.status, result.attempts) == (status, attempts)
    log = cluster.log.read_text()
    assert f"Task id={result.id} path={tasks.watched.module_path} state=RUNNING" in log
    assert f"Task id={result.id} path={tasks.watched.module_path} state={status}" in log


def test_row_that_names_no_task_runs_nothing(qcluster):
    """T21: what is not a task is suspicious, and fails at once."""
    qcluster()
    args = {"args": ["true"], "kwargs": {}}
    spec = {"queue": "test", "kind": "task:tests.queueing.testapp.tasks.not_a_task"}
    bad = submit_spec(JobSpec(**spec), args).job
    function = submit_spec(JobSpec(**spec | {"kind": "task:subprocess.run"}), args).job
    for job in (bad, function):
        wait_until(lambda job=job: Job.objects.filter(id=job.id, state="failed").exists(), "the refusal")
        attempt = job.failed_attempts.get()
        assert attempt.exception == "queueing.tasks.errors.NotATask"
        assert attempt.code == "not_a_task"
    assert issubclass(errors.NotATask, SuspiciousOperation)
    assert not notes("not_a_task")


def test_task_of_newer_code_waits_without_spending_attempts(qcluster):
    """T21."""
    result = tasks.add.enqueue(1)
    Job.objects.filter(id=result.id).update(kind="task:tests.queueing.testapp.tasks.of_newer_code")
    qcluster()
    row = Job.objects.filter(id=result.id)
    wait_until(
        lambda: row.get().failed_attempts.filter(outcome="unable", code="unknown_kind"), "it was unable"
    )
    assert (row.get().state, row.get().attempts) == ("waiting", 0)
    row.update(kind="task:tests.queueing.testapp.tasks.add")


def test_killed_worker_leaves_no_task_running(qcluster):
    """T22: it runs again, without spending an attempt."""
    cluster = qcluster()
    result = tasks.sleep.enqueue("killed", 0.7)
    wait_until(lambda: notes("killed"), "the start")
    for pid in cluster.workers():
        os.kill(pid, signal.SIGKILL)
    again = finished(result)
    assert (again.return_value, again.attempts, again.errors) == ("slept", 1, [])
    assert len(notes("killed")) == 2
