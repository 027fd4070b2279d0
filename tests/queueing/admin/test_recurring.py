"""Recurring jobs in the admin: made, edited, run, paused and deleted by those who may, with audit."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from queueing.models import AuditEntry, Job, RecurringJob
from queueing.recurring import ticking, verbs
from queueing.recurring.definition import Definition
from queueing.states import State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LIST = "/admin/queueing/recurringjob/"
ADD = f"{LIST}add/"
EDITORS = (
    "view_recurringjob",
    "add_recurringjob",
    "change_recurringjob",
    "delete_recurringjob",
    "view_contents",
)
FORM = {
    "name": "nightly",
    "cron": "0 3 * * *",
    "every": "",
    "time_zone": "Europe/Berlin",
    "kind": "test.noop",
    "args": '{"n": 1}',
    "owner": "",
    "missed": "one",
    "grace": "",
    "overlap": "skip",
}


def stored(**values) -> RecurringJob:
    given = {"name": "r", "kind": "test.noop", "every": 600, "time_zone": "UTC"} | values
    return verbs.store(Definition(**given))


def text(response) -> str:
    return response.content.decode()


def test_recurring_job_is_made_and_edited_with_audit(staff):
    client = staff(*EDITORS)
    assert client.post(ADD, FORM).status_code == 302
    row = RecurringJob.objects.get()
    assert (row.name, row.args, row.from_code) == ("nightly", {"n": 1}, False)
    assert row.next_at.astimezone(UTC).minute == 0
    page = f"{LIST}{row.pk}/change/"
    assert "At 03:00 every day (Europe/Berlin)" in text(client.get(page))
    assert client.post(page, FORM | {"cron": "30 4 * * *", "args": '{"n": 2}'}).status_code == 302
    row.refresh_from_db()
    assert (row.cron, row.args) == ("30 4 * * *", {"n": 2})
    added, changed = AuditEntry.objects.order_by("id")
    assert (added.action, added.subject, added.queue, added.actor) == (
        "add_recurring",
        "nightly",
        "test",
        "carol",
    )
    assert changed.detail == {"text": "args, cron: 0 3 * * * → 30 4 * * *"}
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.filter(action="delete_recurring", subject="nightly").exists()
    assert not RecurringJob.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field", "named"),
    [
        ({"cron": "61 * * * *"}, "cron", "bad minute"),
        ({"cron": "0 3 * *"}, "cron", "Write five fields"),
        ({"every": "60"}, "cron", "not both"),
        ({"cron": ""}, "cron", "either"),
        ({"cron": "", "every": "0"}, "every", "from 1"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "valid choice"),
        ({"kind": "no.such"}, "kind", "valid choice"),
        ({"args": "{"}, "args", "JSON"),
        ({"args": "[1]"}, "args", "dict"),
        ({"kind": "test.sync", "args": '{"x": 1}'}, "args", "does not take"),
        ({"owner": "x" * 65}, "owner", "64"),
        ({"grace": "99999999"}, "grace", "a week"),
        ({"name": "r"}, "name", "already exists"),
    ],
)
def test_wrong_value_is_refused_beside_its_field(staff, wrong, field, named):
    stored()
    answer = staff(*EDITORS).post(ADD, FORM | wrong)
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    assert named in str(errors[field])
    assert RecurringJob.objects.count() == 1


def test_list_shows_times_state_and_next_tick(staff):
    stored()
    stored(name="off")
    verbs.pause("off")
    client = staff("view_recurringjob")
    with CaptureQueriesContext(connection) as asked:
        page = text(client.get(LIST))
    for number in range(10):
        stored(name=f"r{number}")
    with CaptureQueriesContext(connection) as asked_of_more:
        client.get(LIST)
    assert len(asked_of_more) == len(asked)
    assert "Every 10 minutes" in page
    assert "paused" in page
    assert page.count("data-local") == 1, "a paused one has no next tick"


def test_actions_ask_first_and_write_the_audit_log(staff):
    client, row = staff("operate_queue"), stored()
    page = f"{LIST}{row.pk}/change/"
    for name, button in (
        ("run_recurring", "Run now"),
        ("pause_recurring", "Pause"),
        ("resume_recurring", "Resume"),
    ):
        assert f"do/{name}/" in text(client.get(page))
        asked = client.get(f"{LIST}{row.pk}/do/{name}/")
        assert button in text(asked)
        done = client.post(f"{LIST}{row.pk}/do/{name}/", {"note": "why"}, follow=True)
        assert done.status_code == 200
        assert AuditEntry.objects.filter(action=name, subject="r", queue="test", note="why").exists()
    assert "run by an operator" in text(client.get(page))
    job = Job.objects.get()
    assert f"/job/{job.pk}/change/" in text(client.get(page))


def test_action_that_is_refused_says_why(staff):
    row = stored()
    RecurringJob.objects.update(kind="no.such")
    answer = staff("operate_queue").post(f"{LIST}{row.pk}/do/run_recurring/", follow=True)
    assert "is not registered" in text(answer)
    assert not AuditEntry.objects.exists()


def test_those_without_rights_change_nothing(staff):
    row = stored(args={"text": "a secret"})
    page = f"{LIST}{row.pk}/change/"
    for rights in (
        (),
        ("view_recurringjob",),
        ("operate_queue",),
        ("change_recurringjob", "add_recurringjob"),
    ):
        client = staff(*rights)
        assert client.post(ADD, FORM).status_code == 403, rights
        assert client.post(page, FORM).status_code == 403, rights
        assert "a secret" not in text(client.get(page))
        if "operate_queue" not in rights:
            assert client.post(f"{LIST}{row.pk}/do/run_recurring/").status_code == 403
    assert not Job.objects.exists()
    assert not AuditEntry.objects.exists()


def test_job_of_the_code_is_changed_only_there(staff):
    client = staff(*EDITORS)
    row = verbs.store(Definition(name="r", kind="test.noop", every=60, time_zone="UTC"), from_code=True)
    page = f"{LIST}{row.pk}/change/"
    assert "The code declares it" in text(client.get(page))
    assert client.post(page, FORM).status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert RecurringJob.objects.exists()


def test_history_shows_jobs_skips_and_refusals(staff, monkeypatch):
    row = stored()
    now = datetime(2026, 6, 1, 12, 40, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    RecurringJob.objects.update(next_at=now.replace(minute=10), look_at=now.replace(minute=10))
    ticking.handle(row.pk)
    Job.objects.update(state=State.COMPLETED, finished_at=now)
    page = text(staff("view_recurringjob", "view_job").get(f"{LIST}{row.pk}/change/"))
    assert "(3 ticks)" in page
    assert "within the grace time" in page
    assert ">completed</a>" in page
