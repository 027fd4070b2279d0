"""S17: staff who may add a schedule and nothing else choose among the listed functions."""

import pytest
from django.utils import timezone
from django_q.models import Failure, Schedule, Success, Task

from queueing.schedule import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ADD = "/admin/django_q/schedule/add/"
LISTED = "tests.queueing.testapp.jobs.shout"


def schedule_form(**fields: str) -> dict[str, str]:
    form = {"func": LISTED, "schedule_type": "O", "repeats": "-1", "minutes": "", "name": "one"}
    return form | {"next_run_0": "2026-01-01", "next_run_1": "00:00:00"} | fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("func", "os.system"),
        ("func", "subprocess.run"),
        ("func", f"{LISTED} "),
        ("hook", "os.system"),
        ("kwargs", "{'q_options': {'hook': 'os.system'}}"),
        ("kwargs", "{'q_\\x6fptions': {'sync': True}}"),
        ("kwargs", "hook='os.system'"),
        ("kwargs", "chain=[('os.system', ('true',))]"),
        ("kwargs", "sync=True"),
        ("kwargs", "**{'hook': 'os.system'}"),
        ("kwargs", "a=__import__('os')"),
        ("kwargs", "[1]"),
        ("args", "__import__('os').system('true')"),
        ("args", "1,"  "2)"),
    ],
)  # fmt: skip
def test_schedule_form_refuses_what_is_not_listed(staff, field, value):
    response = staff("add_schedule").post(ADD, schedule_form(**{field: value}))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    "fields", [{}, {"hook": LISTED}, {"args": "'a', 2"}, {"kwargs": "a=1"}, {"kwargs": "{'a': 1}"}]
)
def test_schedule_form_accepts_listed_functions(staff, fields):
    assert staff("add_schedule").post(ADD, schedule_form(**fields)).status_code == 302
    assert Schedule.objects.get().func == LISTED


def tasks() -> None:
    now = timezone.now()
    common = {"started": now, "stopped": now, "args": ("x",), "kwargs": {}}
    Task.objects.create(id="1", name="good", func=LISTED, success=True, **common)
    Task.objects.create(id="2", name="bad", func="os.system", success=False, **common)


@pytest.mark.parametrize(("page", "pk"), [("success", "1"), ("failure", "2")])
def test_tasks_run_again_for_operators_only(staff, page, pk):
    """Django-Q2 lets all staff who may view a task run it once more, with its function."""
    tasks()
    act = {"action": "run_again", "_selected_action": pk}
    path = f"/admin/django_q/{page}/"
    viewer = staff(f"view_{page}")
    assert "run_again" not in viewer.get(path).content.decode()
    viewer.post(path, act)
    viewer.post(path, act | {"action": "resubmit_task"})
    assert not redis_client.client().hlen("{buddy}:packages")
    operator = staff(f"view_{page}", "operate_queue")
    assert "run_again" in operator.get(path).content.decode()
    operator.post(path, act)
    assert redis_client.client().hlen("{buddy}:packages") == (page == "success"), "os.system is not listed"


@pytest.mark.parametrize(("page", "pk"), [("success", "1"), ("failure", "2")])
def test_finished_tasks_can_be_read_and_not_changed(staff, page, pk):
    tasks()
    client = staff(f"view_{page}", f"change_{page}", f"add_{page}")
    path = f"/admin/django_q/{page}/{pk}/change/"
    assert client.get(path).status_code == 200
    assert client.post(path, {"hook": "os.system"}).status_code == 403
    assert not Success.objects.exclude(hook=None).exists()
    assert not Failure.objects.exclude(hook=None).exists()
