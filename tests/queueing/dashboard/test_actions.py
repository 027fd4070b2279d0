"""Actions of the dashboard: permission, confirmation, result and audit entry; repeating them is safe."""

import json

import pytest

from queueing.control import verbs
from queueing.models import AuditEntry, FailureNote, Job, Pause
from queueing.submit import submit

from .conftest import failed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

NAMES = [
    "pause", "resume", "drain", "promote_all", "clean", "set_limits", "clear_limits",
    "retry_group", "retry", "note_group", "quiet_worker", "resume_worker",
]  # fmt: skip


def act(client, name: str, **values: str):
    return client.post(f"/admin/queue/{name}", json.dumps({"queue": "test"} | values), "application/json")


@pytest.fixture
def operator(client, staff):
    """A client signed in as an operator."""
    client.force_login(staff("operate_queue"))
    return client


@pytest.mark.parametrize("name", NAMES)
def test_action_without_permission_is_403_and_by_get_405(client, staff, name):
    for user, detail in [
        (None, "not signed in"),
        (staff("view_job", "view_contents"), "need the permission"),
    ]:
        if user:
            client.force_login(user)
        for answer in (
            act(client, name, confirm="test"),
            client.get(f"/admin/queue/confirm/{name}?queue=test"),
        ):
            assert answer.status_code == 403
            assert detail in answer.json()["detail"]
    client.force_login(staff("operate_queue", name="dora"))
    assert client.get(f"/admin/queue/{name}").status_code == 405
    assert client.get(f"/admin/queue/confirm/{name}?queue=test").status_code == 200
    assert not AuditEntry.objects.exists()


def test_action_without_csrf_token_is_403(django_user_model, staff):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("operate_queue"))
    assert act(client, "pause").status_code == 403
    assert not Pause.objects.exists()


def test_pause_and_resume_repeated_have_no_further_effect(operator):
    for _ in range(2):
        assert act(operator, "pause", note="An outage.").json() == {
            "done": "test is paused. Active jobs finish."
        }
    assert Pause.objects.count() == 1
    entry = AuditEntry.objects.last()
    assert (entry.actor, entry.action, entry.queue, entry.note) == (
        "carol",
        "pause",
        "test",
        "An outage.",
    )
    assert act(operator, "resume").status_code == act(operator, "resume").status_code == 200
    assert not Pause.objects.exists()


def test_action_on_a_worker_needs_a_running_worker_and_others_need_a_queue(operator):
    form = operator.get("/admin/queue/confirm/quiet_worker?worker=c1/w1").content.decode()
    assert "Quiet worker c1/w1" in form
    assert 'name="worker" value="c1/w1"' in form
    assert 'name="queue"' not in form
    answer = act(operator, "quiet_worker", worker="c1/w1")
    assert (answer.status_code, answer.json()["field"]) == (422, "worker")
    assert answer.json()["detail"] == "No worker c1/w1 is running."
    for name in ("pause", "drain", "clear_limits"):
        answer = act(operator, name, queue="", worker="c1/w1", confirm="")
        assert answer.status_code in (404, 422), name
    assert not AuditEntry.objects.exists()


def test_drain_shows_counts_and_requires_queue_name(operator):
    for delay in (0, 0, 600):
        submit("test.noop", {}, delay=delay)
    said = operator.get("/admin/queue/confirm/drain?queue=test").content.decode()
    assert "Now: 2 waiting, 1 delayed, 0 active." in said
    assert "This cannot be undone." in said
    for confirm in ("", "Test"):
        answer = act(operator, "drain", confirm=confirm)
        assert (answer.status_code, answer.json()["field"]) == (422, "confirm")
    assert not Job.objects.filter(state="cancelled").exists()
    assert act(operator, "drain", confirm="test").json() == {"done": "3 jobs of test cancelled."}
    assert act(operator, "drain", confirm="test").json() == {"done": "0 jobs of test cancelled."}


def test_promote_all_shows_count_and_promotes(operator):
    submit("test.noop", {}, delay=600)
    assert "1 delayed" in operator.get("/admin/queue/confirm/promote_all?queue=test").content.decode()
    assert act(operator, "promote_all").json() == {"done": "1 job of test promoted."}


def test_limits_form_changes_shows_and_resets(operator):
    form = operator.get("/admin/queue/confirm/set_limits?queue=test").content.decode()
    assert 'name="concurrency" value="50"' in form
    as_they_are = {"global_concurrency": "0", "owner_concurrency": "0", "limiter": "0"}
    unchanged = act(operator, "set_limits", concurrency="50", **as_they_are).json()
    assert unchanged == {"done": "Limits of test changed: none."}
    assert not AuditEntry.objects.exists()
    as_they_are |= {"limiter": "5/2.5"}
    assert act(operator, "set_limits", concurrency="7", **as_they_are).status_code == 200
    form = operator.get("/admin/queue/confirm/set_limits?queue=test").content.decode()
    assert 'name="concurrency" value="7"' in form
    assert "Default: 50" in form
    said = operator.get("/admin/queue/confirm/clear_limits?queue=test").content.decode()
    assert "Max active jobs per cluster: 50 instead of 7." in said
    assert "Rate limit: no limit instead of 5 per 2.5 s." in said
    assert act(operator, "clear_limits").status_code == 200
    assert 'value="50"' in operator.get("/admin/queue/confirm/set_limits?queue=test").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("concurrency", "many"),
        ("concurrency", "0"),
        ("limiter", "x"),
        ("limiter", "1/x"),
        ("limiter", "0/60"),
        ("owner_concurrency", "-1"),
    ],
)
def test_invalid_limit_is_422_with_field(operator, field, value):
    answer = act(operator, "set_limits", **{"limiter": "1/60"} | {field: value})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not AuditEntry.objects.exists()


def test_group_of_failures_is_retried_noted_and_cleaned(operator):
    failed(3)
    assert (
        "3 jobs failed."
        in operator.get(
            "/admin/queue/confirm/retry_group?queue=test&kind=test.flaky&code=busy"
        ).content.decode()
    )
    group = {"kind": "test.flaky", "code": "busy"}
    assert act(operator, "note_group", text="Known since Monday.", **group).json() == {"done": "Note saved."}
    assert FailureNote.objects.get().note == "Known since Monday."
    assert act(operator, "retry_group", **group).json() == {
        "done": "3 jobs of test queued again (test.flaky: busy)."
    }
    assert act(operator, "retry_group", **group).json() == {
        "done": "0 jobs of test queued again (test.flaky: busy)."
    }
    failed(2)
    cleaned = act(operator, "clean", state="failed", days="0", confirm="test")
    assert cleaned.json() == {"done": "2 failed jobs of test removed."}
    assert Job.objects.count() == 3


def test_retry_of_one_job_repeated_is_409_and_missing_is_404(operator):
    (job,) = failed()
    assert act(operator, "retry", job_id=job.id.hex).status_code == 200
    assert act(operator, "retry", job_id=job.id.hex).status_code == 409
    verbs.cancel(job.id)
    verbs.remove(job.id)
    for missing in (job.id.hex, "nonsense"):
        assert act(operator, "retry", job_id=missing).status_code == 404


@pytest.mark.parametrize("action", ["retry_group", "note_group", "retry", "quiet_worker", "resume_worker"])
@pytest.mark.parametrize("name", ["x" * 60_000, "a\0b", "\ud800", "\x1b[31m", "../x", "*"], ids=ascii)
def test_strange_names_are_an_answer_and_no_error(operator, action, name):
    """A name that no column holds: SQLite would store it, PostgreSQL refuse it with an error."""
    fields = {"kind": name, "code": name, "text": "Known."} if "group" in action else {}
    fields |= {"job_id": name} if action == "retry" else {}
    fields |= {"worker": name} if "worker" in action else {}
    assert act(operator, action, **fields).status_code in (200, 404, 409, 422)
    if name != "\ud800":  # no address has it
        asked = operator.get(f"/admin/queue/confirm/{action}", {"queue": "test"} | fields | {"text": ""})
        assert asked.status_code in (200, 404)
    stored = [*AuditEntry.objects.values_list("subject", flat=True)]
    stored += FailureNote.objects.values_list("kind", flat=True)
    assert all(len(one) <= 200 and "\0" not in one for one in stored), stored


@pytest.mark.parametrize("body", ["", "[]", '{"queue": 1}', "{"])
def test_invalid_body_is_400(operator, body):
    assert operator.post("/admin/queue/pause", body, "application/json").status_code == 400


def test_unknown_queue_or_action_is_404(operator):
    assert act(operator, "pause", queue="gone").status_code == 404
    assert act(operator, "explode").status_code == 404
    assert operator.get("/admin/queue/confirm/pause?queue=gone").status_code == 404
