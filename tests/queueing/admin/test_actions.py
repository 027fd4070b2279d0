"""Actions on jobs ask for confirmation, need the permission and are audited."""

import pytest

from queueing.control import verbs
from queueing.models import AuditEntry, Job
from queueing.states import State
from tests.queueing.record.lifecycle import begin, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LIST = "/admin/queueing/job/"


def action_url(job: Job, action: str) -> str:
    return f"{LIST}{job.pk}/do/{action}/"


def test_action_asks_then_acts_and_is_audited(staff):
    client = staff("view_job", "operate_queue")
    job = new_job(delay=60)
    for verb, ends, past in (
        ("promote", State.WAITING, "promoted"),
        ("cancel", State.CANCELLED, "cancelled"),
        ("retry", State.WAITING, "queued again"),
    ):
        assert f'href="{action_url(job, verb)}"' in client.get(f"{LIST}{job.pk}/change/").content.decode()
        before = Job.objects.get(id=job.id).state
        assert client.get(action_url(job, verb)).status_code == 200
        assert client.post(action_url(job, verb), {}).status_code == 200, "it asks"
        assert Job.objects.get(id=job.id).state == before, "asking does nothing"
        done = client.post(action_url(job, verb), {"confirmed": "1", "note": f"why {verb}"}, follow=True)
        assert f"1 job {past}." in done.content.decode()
        assert Job.objects.get(id=job.id).state == ends
        entry = AuditEntry.objects.first()
        assert (entry.actor, entry.action, entry.job_id, entry.note) == ("carol", verb, job.id, f"why {verb}")
    client.post(action_url(job, "remove"), {"confirmed": "1"})
    assert not Job.objects.exists()
    assert AuditEntry.objects.count() == 4, "what was done to it is still known"


def test_action_without_permission_is_403(staff):
    client, job = staff("view_job"), new_job()
    assert client.post(action_url(job, "cancel"), {"confirmed": "1"}).status_code == 403
    listed = {"action": "cancel", "_selected_action": [job.pk], "confirmed": "1"}
    client.post(LIST, listed)
    assert Job.objects.get().state == State.WAITING
    assert not AuditEntry.objects.exists()


def test_action_in_wrong_state_is_refused_without_audit_entry(staff):
    client, job = staff("view_job", "operate_queue"), new_job()
    verbs.cancel(job.id)
    told = client.post(action_url(job, "promote"), {"confirmed": "1"}, follow=True).content.decode()
    assert "cannot promote a job that is cancelled" in told
    assert not AuditEntry.objects.exists()


def test_unknown_action_or_job_is_404(staff):
    client, job = staff("view_job", "operate_queue"), new_job()
    assert client.get(action_url(job, "explode")).status_code == 404
    verbs.remove(job.id)
    assert client.get(action_url(job, "cancel")).status_code == 404


def test_action_on_several_jobs_names_refused_ones(staff):
    client = staff("view_job", "operate_queue")
    jobs = [new_job() for _ in range(3)]
    begin(jobs[0])
    listed = {"action": "remove", "_selected_action": [job.pk for job in jobs]}
    asked = client.post(LIST, listed)
    assert "Remove 3 jobs?" in asked.content.decode()
    told = client.post(LIST, listed | {"confirmed": "1", "note": "spring"}, follow=True).content.decode()
    assert "2 jobs removed." in told
    assert "cannot remove a job that is active" in told
    assert list(Job.objects.all()) == [jobs[0]]
    assert list(AuditEntry.objects.values_list("action", "note")) == [("remove", "spring")] * 2


def test_action_on_too_many_jobs_is_refused(staff, monkeypatch):
    monkeypatch.setattr("queueing.admin.actions.MAX_JOBS", 2)
    client = staff("view_job", "operate_queue")
    jobs = [new_job() for _ in range(3)]
    listed = {"action": "cancel", "_selected_action": [job.pk for job in jobs], "confirmed": "1"}
    assert "at most 2 jobs" in client.post(LIST, listed, follow=True).content.decode()
    assert set(Job.objects.values_list("state", flat=True)) == {State.WAITING}


def test_retry_on_orphaned_queue_is_refused(staff):
    client, job = staff("view_job", "operate_queue"), new_job()
    verbs.cancel(job.id)
    Job.objects.update(queue="gone")
    assert action_url(job, "retry") not in client.get(f"{LIST}{job.pk}/change/").content.decode()
    told = client.post(action_url(job, "retry"), {"confirmed": "1"}, follow=True).content.decode()
    assert "cannot retry a job that is on gone, a queue that is not in the settings" in told
    assert Job.objects.get().state == State.CANCELLED
    assert not AuditEntry.objects.exists()
