"""Django-Q2's own tasks and schedules on our cluster work as its documentation says."""

import pytest
from django.utils import timezone
from django_q.models import Failure, Schedule, Success
from django_q.tasks import async_task, result, schedule

from queueing.schedule import redis_client
from queueing.schedule import scripts as live
from tests.queueing.testapp import traces
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_plain_function_runs_and_its_result_is_saved(qcluster):
    qcluster()
    task_id = async_task("tests.queueing.testapp.jobs.shout", "hello", group="greetings")
    wait_until(lambda: Success.objects.filter(id=task_id).exists(), "the task")
    assert result(task_id) == "HELLO"
    assert Success.objects.get(id=task_id).group == "greetings"


def test_coroutine_function_is_awaited(qcluster):
    qcluster()
    task_id = async_task("tests.queueing.testapp.jobs.noted", "plain")
    wait_until(lambda: Success.objects.filter(id=task_id).exists(), "the task")
    assert result(task_id) == "awaited plain"


def test_failure_is_saved_with_its_traceback_and_not_retried(qcluster, valkey):
    qcluster()
    task_id = async_task("tests.queueing.testapp.jobs.fall_over")
    wait_until(lambda: Failure.objects.filter(id=task_id).exists(), "the failure")
    assert "ValueError: no" in Failure.objects.get(id=task_id).result
    wait_until(lambda: not valkey.client.hlen("{buddy}:packages"), "the package to go")


def test_task_of_a_killed_worker_runs_again(qcluster):
    qcluster()
    task_id = async_task("tests.queueing.testapp.jobs.die_once", "phoenix")
    wait_until(lambda: Success.objects.filter(id=task_id).exists(), "the task")
    assert result(task_id) == "alive"


def test_schedule_that_is_due_runs(qcluster):
    schedule(
        "tests.queueing.testapp.jobs.shout", "tick", schedule_type=Schedule.ONCE, next_run=timezone.now()
    )
    qcluster()
    wait_until(
        lambda: Success.objects.filter(func="tests.queueing.testapp.jobs.shout").exists(), "the schedule"
    )


def test_schedule_by_cron_runs_and_has_a_next_time(qcluster):
    """O4: Django-Q2 needs croniter for it."""
    times = {"schedule_type": Schedule.CRON, "cron": "30 4 * * MON"}
    row = schedule("tests.queueing.testapp.jobs.shout", "tick", **times)
    Schedule.objects.update(next_run=timezone.now())
    qcluster()
    wait_until(lambda: Success.objects.filter(group=row.pk).exists(), "the schedule")
    row.refresh_from_db()
    local = timezone.localtime(row.next_run)
    assert (local.hour, local.minute, local.weekday()) == (4, 30, 0)


def test_task_with_a_wrong_signature_is_deleted(qcluster, valkey):
    qcluster()
    valkey.client.hset("{buddy}:packages", "f" * 32, "not:a:package")
    redis_client.run(live.submit("django-q", [live.ScheduleEntry("f" * 32, "", 5)]))
    wait_until(lambda: not valkey.client.hlen("{buddy}:jobs"), "Redis to forget it")
    assert not valkey.client.hlen("{buddy}:packages")


@pytest.mark.parametrize(
    "row",
    [
        {"func": "tests.queueing.testapp.traces.mark"},
        {"func": "tests.queueing.testapp.jobs.shout", "hook": "tests.queueing.testapp.traces.mark"},
        {"func": "tests.queueing.testapp.traces.mark", "kwargs": "{'q_options': {'sync': True}}"},
        {"func": "tests.queueing.testapp.traces.mark", "kwargs": "sync=True"},
        {
            "func": "tests.queueing.testapp.jobs.shout",
            "kwargs": "{'q_options': {'chain': [('tests.queueing.testapp.traces.mark', ('x',),"
            " {'q_options': {'sync': True}})], 'cached': False, 'sync': True}}",
        },
    ],
)
def test_schedule_runs_only_listed_functions_however_its_row_was_written(qcluster, valkey, row):
    """S17: written past the admin, as by SQL."""
    new = {"args": "'tick'", "schedule_type": Schedule.ONCE, "next_run": timezone.now()} | row
    Schedule.objects.bulk_create([Schedule(**new)])
    qcluster()
    wait_until(lambda: Success.objects.exists() or Failure.objects.exists(), "the schedule")
    if "mark" in str(row.get("kwargs", "")) + row["func"]:
        wait_until(lambda: Failure.objects.filter(func__endswith="mark").exists(), "the refusal")
        assert "not in QUEUEING['TASKS']" in Failure.objects.get(func__endswith="mark").result
    assert not valkey.client.exists("note:marked")


def test_task_of_a_function_that_is_not_listed_is_a_failure(qcluster, valkey):
    """S17: also a function that was pickled by itself."""
    qcluster()
    tasks = [async_task(function, "x") for function in (traces.mark, "tests.queueing.testapp.traces.mark")]
    for task_id in tasks:
        wait_until(lambda task_id=task_id: Failure.objects.filter(id=task_id).exists(), "the failure")
    assert not valkey.client.exists("note:marked")
    wait_until(lambda: not valkey.client.hlen("{buddy}:packages"), "the packages to go")
