"""S17: no row of Django-Q2 runs a function that is not listed, and no stored pickle runs anything."""

import datetime
import os
import pickle
from base64 import b64encode
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.utils import timezone
from django_q.models import Success, Task

from queueing.record.django_q_tasks import may_run, name_of
from tests.queueing.testapp import jobs

pytestmark = pytest.mark.django_db


class Hostile:
    """Its pickle makes a folder when it is read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def new_task(**fields) -> Task:
    now = timezone.now()
    return Task.objects.create(id="1", name="t", func="f", started=now, stopped=now, success=True, **fields)


@pytest.mark.parametrize("column", ["args", "kwargs", "result"])
@pytest.mark.parametrize("model", [Task, Success])
def test_pickle_that_was_written_to_the_database_runs_nothing(tmp_path, column, model):
    path = tmp_path / "made"
    new_task(result="fine")
    stored = b64encode(pickle.dumps(Hostile(str(path)))).decode()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE django_q_task SET {column} = %s", [stored])
    found = getattr(model.objects.get(), column)
    assert not path.exists()
    assert "not readable: an object of posix.mkdir" in found
    pickle.loads(pickle.dumps(Hostile(str(path))))
    assert path.exists(), "an ordinary reader would have run it"


def test_plain_values_are_read_as_they_were_stored():
    value = {
        "a": [1, 2.5, None, True, "x", b"y", (1, 2), {3}, frozenset({4}), 2**70],
        "b": (datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.timedelta(1), Decimal("1.5")),
        "c": UUID(int=7),
    }
    new_task(result=value, args=(1, "two"), kwargs={"a": 1})
    task = Task.objects.get()
    assert (task.result, task.args, task.kwargs) == (value, (1, "two"), {"a": 1})


@pytest.mark.parametrize("function", [jobs.shout, "tests.queueing.testapp.jobs.shout"])
def test_listed_function_may_run_by_name_and_by_itself(function):
    assert may_run(function)


@pytest.mark.parametrize(
    "function",
    [
        "os.system",
        "subprocess.run",
        "tests.queueing.testapp.jobs.shout ",
        "",
        None,
        os.system,
        lambda: 0,
        str.upper,
    ],
)
def test_function_that_is_not_listed_may_not_run(function):
    assert not may_run(function), name_of(function)


def test_hook_that_is_not_listed_is_not_called(tmp_path, caplog):
    """Also in a web process, and also when the row was written by SQL."""
    task = new_task(hook="tests.queueing.record.test_django_q_tasks.note_hook")
    assert not HOOKED
    assert "is not in QUEUEING['TASKS']" in caplog.text
    Task.objects.update(hook="os.remove")
    task.refresh_from_db()
    task.save()
    assert not HOOKED


HOOKED: list[str] = []


def note_hook(task):
    HOOKED.append(task.name)


def test_listed_hook_is_called(settings):
    settings.QUEUEING = settings.QUEUEING | {"TASKS": [f"{__name__}.note_hook"]}
    new_task(hook=f"{__name__}.note_hook")
    assert HOOKED == ["t"]
    HOOKED.clear()


@pytest.mark.parametrize("listed", [("no.such.function",), ("os.path",), "os.getcwd"])
def test_list_with_something_else_than_functions_is_an_error(settings, listed):
    settings.QUEUEING = settings.QUEUEING | {"TASKS": listed}
    assert [found.id for found in run_checks(tags=["queueing"]) if found.id == "queueing.E006"]
