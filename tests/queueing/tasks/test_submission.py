"""Conformance of the backend, from a task to its job. docs/django-tasks.md lists the clauses (T1 to T12)."""

import asyncio
import re
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.checks import run_checks
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from queueing.conf import get_conf
from queueing.errors import BadSubmission, Rejected
from queueing.kinds import all_kinds
from queueing.models import Job
from queueing.submit import submit
from queueing.tasks import QueueingBackend
from queueing.tasks.handler import make_kind
from queueing.tasks.names import MAX_PATH, to_job_priority, to_task_priority
from queueing.testing import drain, rejecting, without_redis
from tests.queueing.testapp import tasks
from tests.support.cluster import environment

from .framework import InvalidTask, Status, TaskResultDoesNotExist, TaskResultMismatch, api, base, signals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_redis():
    with without_redis():
        yield


def module_level(context, name="x"):
    """A task function."""


def local_function():
    """Return a function that no path leads to."""

    def inner():
        pass

    return inner


def test_backend_named_in_settings_is_ours_and_keeps_all_promises():
    """T1."""
    backend = api.task_backends["default"]
    assert type(backend) is QueueingBackend
    assert backend.supports_defer
    assert backend.supports_async_task
    assert backend.supports_get_result
    assert backend.supports_priority
    assert isinstance(tasks.add, base.Task)


@pytest.mark.parametrize(
    "fields",
    [
        {"func": local_function()},
        {"func": print},
        {"priority": 101},
        {"priority": -101},
        {"priority": 1.5},
        {"run_after": timezone.now().replace(tzinfo=None)},
        {"run_after": timezone.now() + timedelta(days=400)},
        {"queue_name": "unknown"},
        {"queue_name": "test-limited"},
        {"queue_name": "unknown", "backend": "alone"},
        {"takes_context": True, "func": test_backend_named_in_settings_is_ours_and_keeps_all_promises},
    ],
)
def test_task_that_cannot_run_is_invalid(fields):
    """T2: at its definition, and again when it is enqueued."""
    valid = {
        "func": module_level,
        "priority": 0,
        "run_after": None,
        "backend": "default",
        "queue_name": "test",
    }
    base.Task(**valid)
    with pytest.raises(InvalidTask):
        base.Task(**valid | fields)
    task = base.Task(**valid)
    for name, value in fields.items():
        object.__setattr__(task, name, value)
    with pytest.raises(InvalidTask):
        task.enqueue()
    assert not Job.objects.exists()


def test_task_that_workers_would_not_find_is_invalid(monkeypatch):
    """T2: the path of the function must lead to the task, and fit into the column of the kind."""
    with pytest.raises(InvalidTask, match="_elsewhere, where workers look for it"):
        tasks.renamed.enqueue()
    long = base.Task(func=module_level, priority=0, run_after=None, backend="alone", queue_name="test")
    monkeypatch.setattr(module_level, "__module__", "m" * MAX_PATH)
    with pytest.raises(InvalidTask, match=str(MAX_PATH)):
        long.enqueue()


def test_queue_of_the_engine_is_valid_where_the_backend_lists_none():
    """T2."""
    result = tasks.add.using(backend="alone", queue_name="test-limited").enqueue(1)
    assert (result.backend, result.task.queue_name) == ("alone", "test-limited")
    assert Job.objects.get().queue == "test-limited"


def test_enqueued_task_is_a_job_of_its_own_kind():
    """T3: the job carries the path, the arguments, the queue and the priority."""
    result = tasks.add.using(priority=7, queue_name="test").enqueue(1, 2, label="x")
    job = Job.objects.get()
    assert job.kind == "task:tests.queueing.testapp.tasks.add"
    assert job.args == {"args": [1, 2], "kwargs": {"label": "x"}}
    assert (job.queue, job.priority, job.owner) == ("test", 472, "")
    assert result.id == job.id.hex
    assert len(result.id) <= 64


def test_result_of_a_new_task_is_ready_and_equals_what_is_read_later():
    """T3."""
    later = timezone.now() + timedelta(hours=1)
    result = tasks.double.using(priority=-3, run_after=later, backend="alone").enqueue(4)
    assert (result.status, result.attempts, result.errors) == (Status.READY, 0, [])
    assert (result.args, result.kwargs, result.backend) == ([4], {}, "alone")
    assert (result.started_at, result.finished_at, result.last_attempted_at) == (None, None, None)
    assert timezone.now() - result.enqueued_at < timedelta(minutes=1)
    assert result == tasks.double.get_result(result.id) == api.task_backends["alone"].get_result(result.id)
    with pytest.raises(ValueError, match="has not finished yet"):
        _ = result.return_value


@pytest.mark.parametrize("result_id", ["", "x", str(UUID(int=7)), "0" * 64, None, 7, "\0"])
def test_result_of_an_unknown_id_does_not_exist(result_id):
    """T4: whatever the id is."""
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result(result_id)


def test_result_of_a_job_that_is_no_task_does_not_exist():
    """T4."""
    other = submit("test.noop", {}).job
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result(other.id.hex)


def test_result_of_another_task_does_not_match():
    """T4."""
    result = tasks.add.enqueue(1)
    with pytest.raises(TaskResultMismatch):
        tasks.double.get_result(result.id)


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_calls_do_what_the_others_do():
    """T5."""
    result = await tasks.double.aenqueue(3)
    assert await tasks.double.aget_result(result.id) == result
    await result.arefresh()
    assert result.status == Status.READY
    many = await asyncio.gather(*(tasks.double.aenqueue(n) for n in range(5)))
    assert len({one.id for one in many}) == 5
    with pytest.raises(TaskResultDoesNotExist):
        await tasks.double.aget_result("x")


def test_arguments_become_json():
    """T6: tuples become lists, bytes become text, in the result as in the job."""
    result = tasks.add.enqueue((1, (2,)), b"text", named={"a": (3,)})
    assert result.args == [[1, [2]], "text"]
    assert result.kwargs == {"named": {"a": [3]}}
    assert Job.objects.get().args == {"args": result.args, "kwargs": result.kwargs}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({1, 2}, TypeError),
        (object(), TypeError),
        (timezone.now(), TypeError),
        (b"\xff", ValueError),
        (float("nan"), BadSubmission),
        ("\0", BadSubmission),
        ("x" * 70_000, BadSubmission),
    ],
)
def test_arguments_that_cannot_be_stored_are_refused(value, error):
    """T6."""
    for submitting in (lambda: tasks.add.enqueue(value), lambda: tasks.add.enqueue(named=[value])):
        with pytest.raises(error):
            submitting()
    assert not Job.objects.exists()


def test_priorities_of_tasks_keep_their_order_as_priorities_of_jobs():
    """T7: a larger one is a smaller number of ours, without loss."""
    found = [to_job_priority(priority) for priority in range(-100, 101)]
    assert found == sorted(found, reverse=True)
    assert (to_job_priority(-100), to_job_priority(0), to_job_priority(100)) == (900, 500, 100)
    assert [to_task_priority(priority) for priority in found] == list(range(-100, 101))


def test_run_after_delays_the_job():
    """T8: until then; a time in the past does not."""
    soon = timezone.now() + timedelta(minutes=5)
    tasks.add.using(run_after=soon).enqueue(1)
    job = Job.objects.get()
    assert job.state == "delayed"
    assert abs(job.run_at - soon) < timedelta(seconds=5)
    past = tasks.add.using(run_after=soon - timedelta(days=3)).enqueue(1)
    assert Job.objects.get(id=past.id).state == "waiting"


@pytest.mark.django_db(transaction=True)
def test_task_of_a_transaction_exists_only_if_that_commits():
    """T9."""
    with transaction.atomic():
        lost = tasks.add.enqueue(1)
        transaction.set_rollback(True)
    with pytest.raises(TaskResultDoesNotExist):
        lost.refresh()
    with transaction.atomic():
        kept = tasks.add.enqueue(1)
    kept.refresh()


def test_enqueued_signal_is_sent_at_once_and_its_receivers_change_nothing(caplog):
    """T10: with the class of the backend; the framework logs it."""
    received = []

    def receive(sender, task_result, **_):
        received.append((sender, task_result))
        raise RuntimeError("a receiver")

    caplog.set_level("DEBUG", logger=signals.logger.name)
    signals.task_enqueued.connect(receive)
    try:
        result = tasks.add.enqueue(1)
    finally:
        signals.task_enqueued.disconnect(receive)
    assert received == [(QueueingBackend, result)]
    assert f"Task id={result.id} path={tasks.add.module_path} enqueued backend=default" in caplog.text
    assert Job.objects.count() == 1


def test_full_queue_refuses_a_task():
    """T11: as any job."""
    with rejecting(), pytest.raises(Rejected):
        tasks.add.enqueue(1)
    assert not Job.objects.exists()


def test_task_with_an_owner_and_a_request_id_is_enqueued_once():
    """T11: what our jobs have besides, by `using`."""
    task = tasks.add.using(owner="u:7", share="team", request_id="r1")
    first, second = task.enqueue(1), task.enqueue(2)
    assert first.id == second.id
    assert second.args == [1]
    job = Job.objects.get()
    assert (job.owner, job.share, job.request_id) == ("u:7", "team", "r1")
    assert tasks.add.using(priority=3).owner == ""
    assert task.using(priority=3).owner == "u:7"
    assert first == tasks.add.get_result(first.id)
    with pytest.raises(TypeError):
        tasks.add.using(colour="red")


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"timeout": -1}, {"backoff": {"type": "odd"}}, {"expires": "soon"}, {"tags": ["-"]}],
)
def test_task_with_a_wrong_option_is_invalid(wrong):
    """T11: when it is made."""
    with pytest.raises(InvalidTask, match=next(iter(wrong))):
        tasks.add.using(**wrong)


def test_task_with_options_gives_them_to_its_jobs():
    """T11: those of `using` and of the definition; a function as backoff belongs to the definition."""
    at = timezone.now() + timedelta(hours=1)
    task = tasks.add.using(attempts=7, timeout=2.5, backoff={"type": "fixed", "delay": 3}, tags=["red"])
    for expires in (at, 3600):
        result = task.using(expires=expires).enqueue(1)
        job = Job.objects.get(id=result.id)
        assert (job.max_attempts, [tag.tag for tag in job.tags.all()]) == (7, ["red"])
        assert abs(job.expires_at - at) < timedelta(minutes=1)
        assert result == tasks.add.get_result(result.id)
    with pytest.raises(BadSubmission, match="backoff"):
        tasks.add.using(backoff=lambda attempt, error: 1.0).enqueue(1)
    kind = make_kind(tasks.patient.module_path)
    assert kind.options.attempts == 2
    assert kind.options.backoff(1, ValueError()) == 0.1
    assert Job.objects.get(id=tasks.patient.enqueue().id).max_attempts == 2


def test_tasks_are_listed_and_run_in_tests_of_applications():
    """T11: `drain` runs them by the code of workers; the filter of the admin knows all of them."""
    results = [tasks.add.enqueue(1, 2), tasks.double.enqueue(4), tasks.fail.enqueue("error")]
    drain(delayed=True)
    for result in results:
        result.refresh()
    assert [result.status for result in results] == [Status.SUCCESSFUL, Status.SUCCESSFUL, Status.FAILED]
    assert (results[1].return_value, results[2].attempts) == (8, 3)
    assert "task:tests.queueing.testapp.tasks.double" in {kind.name for kind in all_kinds()}


def test_operators_see_the_path_of_a_task(admin_client):
    """T11: in the admin, with its arguments and the traceback, as any job."""
    result = tasks.fail.enqueue("permanent")
    drain()
    page = admin_client.get(f"/admin/queueing/job/{result.id}/change/").text
    listed = admin_client.get("/admin/queueing/job/?kind=task:tests.queueing.testapp.tasks.fail").text
    for text in (page, listed):
        assert "task:tests.queueing.testapp.tasks.fail" in text
    assert "It cannot work." in page


def test_checks_name_queues_that_the_engine_does_not_have_and_options():
    """T12."""
    assert not [message for message in run_checks() if message.id in ("queueing.E009", "queueing.E010")]
    wrong = {"default": {"BACKEND": "queueing.tasks.QueueingBackend", "QUEUES": ["test", "lost"]}}
    wrong["default"]["OPTIONS"] = {"retries": 3}
    with override_settings(TASKS=wrong):
        found = {message.id: message.msg for message in run_checks()}
    assert "'lost', which is not in QUEUEING['QUEUES']" in found["queueing.E009"]
    assert "retries" in found["queueing.E010"]
    assert get_conf().queues


def test_task_is_made_before_the_models_are_loaded():
    """T12: a package of tasks may be imported first of all, as models import their tasks."""
    code = (
        "import django\n"
        "from django.conf import settings\n"
        "settings.configure(USE_TZ=True, SECRET_KEY='x', \n"
        "    INSTALLED_APPS=['queueing', 'django_q', 'early_app'],\n"
        "    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},\n"
        "    QUEUEING={'REDIS_URL': 'redis://127.0.0.1:1', 'QUEUES': {'default': {}}},\n"
        "    Q_CLUSTER={'broker_class': 'queueing.worker.django_q.broker.RedisBroker'},\n"
        "    TASKS={'default': {'BACKEND': 'queueing.tasks.QueueingBackend'}})\n"
        "import sys, types\n"
        "from tests.queueing.tasks.framework import api\n"
        "def send(): pass\n"
        "send.__module__ = 'early_app'\n"
        "module = types.ModuleType('early_app', 'An app.')\n"
        "module.__path__, module.__file__ = ['/early_app'], '/early_app/__init__.py'\n"
        "sys.modules['early_app'] = module\n"
        "module.send = api.task(send)\n"
        "django.setup()\n"
        "from queueing.kinds import get_kind\n"
        "print(get_kind('task:early_app.send').queue)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert run.stdout == "default\n", run.stderr
    assert not re.search("Traceback", run.stderr)
