"""What operators see of recurring jobs: on the dashboard, in health warnings, metrics and on a terminal."""

import json
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.utils import timezone

from queueing.control import audited_recurring
from queueing.models import AuditEntry, Job, RecurringJob
from queueing.monitoring.health import queue_health
from queueing.monitoring.prometheus import metrics_text
from queueing.recurring import verbs
from queueing.states import State

from .conftest import look

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def warnings() -> dict[str, str]:
    found = async_to_sync(queue_health)()["warnings"]
    return {one["code"]: one["text"] for one in found if one["code"].startswith("recurring")}


def test_health_names_recurring_jobs_that_are_late_refused_or_failing(recurring_job, clock):
    recurring_job(name="nightly")
    assert warnings() == {}
    clock.step(minutes=11)
    assert warnings() == {"recurring_late": "nightly is late by 90 s."}
    RecurringJob.objects.update(refusal="queue_full")
    assert list(warnings()) == ["recurring_refused"]
    look()
    assert warnings() == {}
    for _ in range(2):
        Job.objects.update(state=State.FAILED, finished_at=timezone.now())
        assert warnings() == {}, "fewer than three"
        clock.step(minutes=10)
        look()
    Job.objects.update(state=State.FAILED, finished_at=timezone.now())
    assert warnings() == {"recurring_failing": "The last 3 jobs of nightly failed."}
    verbs.run_now("nightly")
    assert list(warnings()) == ["recurring_failing"], "also while the next one runs"
    Job.objects.order_by("-id")[:1].get().delete()
    verbs.pause("nightly")
    assert warnings() == {}


def test_metric_is_the_age_of_the_oldest_tick(recurring_job, clock):
    recurring_job(name="a")
    recurring_job(name="b", every=3600)
    clock.step(minutes=11)
    assert b"buddy_recurring_late_seconds 90.0" in metrics_text(async_to_sync(queue_health)())
    look()
    assert b"buddy_recurring_late_seconds 0.0" in metrics_text(async_to_sync(queue_health)())


def test_dashboard_shows_recurring_jobs_to_those_who_may_view_jobs(
    recurring_job, clock, admin_client, client
):
    row = recurring_job(name="nightly <b>")
    clock.step(minutes=10)
    look()
    page = admin_client.get("/admin/queue").content.decode()
    part = page[page.index('data-part="recurring"') :]
    for text in (
        "nightly &lt;b&gt;",
        "Every 10 minutes",
        "next in ",
        "last 30 s ago, submitted",
        f"/{row.pk}/change/",
    ):
        assert text in part
    assert (
        "No recurring jobs on test-narrow"
        in admin_client.get("/admin/queue?queue=test-narrow").content.decode()
    )
    answer = admin_client.get("/admin/queue/confirm/run_recurring", {"recurring": "nightly <b>"})
    assert "Run nightly &lt;b&gt; now" in answer.content.decode()


def test_dashboard_runs_pauses_and_resumes(recurring_job, admin_client):
    recurring_job(name="nightly")
    for name in ("run_recurring", "pause_recurring", "resume_recurring"):
        body = json.dumps({"recurring": "nightly", "note": "n"})
        answer = admin_client.post(f"/admin/queue/{name}", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        assert "nightly" in answer.json()["done"]
    assert AuditEntry.objects.filter(subject="nightly", note="n").count() == 3
    body = json.dumps({"recurring": "no such"})
    answer = admin_client.post("/admin/queue/run_recurring", body, content_type="application/json")
    assert answer.status_code == 422
    assert "nightly" in answer.json()["detail"], "it names those that there are"


def output_of(*command: str) -> str:
    out = StringIO()
    call_command("queue_recurring", *command, stdout=out)
    return out.getvalue()


def test_command_lists_runs_pauses_and_resumes(recurring_job, clock):
    recurring_job(name="nightly", cron="0 3 * * *")
    header, line = output_of().splitlines()
    assert header.split("\t")[:3] == ["name", "state", "next"]
    assert line.split("\t") == ["nightly", "on", "2026-06-01 22:00:00", "-", "-", "At 03:00 every day (UTC)"]
    assert "nightly runs now" in output_of("run", "nightly", "--actor", "anna")
    output_of("pause", "nightly")
    assert "paused" in output_of("list", "nightly")
    output_of("resume", "nightly")
    assert AuditEntry.objects.filter(actor="anna", action="run_recurring").exists()
    with pytest.raises(CommandError, match="there is no recurring job 'x'"):
        output_of("pause", "x")
    with pytest.raises(CommandError, match="Name the recurring jobs"):
        output_of("pause")


def test_action_that_is_refused_leaves_no_entry(recurring_job):
    recurring_job(name="nightly")
    RecurringJob.objects.update(kind="no.such")
    with pytest.raises(ValueError, match="not registered"):
        audited_recurring.run_now("nightly", actor="anna")
    assert not AuditEntry.objects.exists()
