"""Each audited move is done and written to the audit log, or neither."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from queueing.control import audited, verbs
from queueing.errors import BadValue, WrongState
from queueing.models import AuditEntry, FailureNote, Job, LimitOverride, Pause
from queueing.states import State
from queueing.submit import submit_many
from queueing.values.ids import first_id_at
from tests.queueing.record.lifecycle import begin, end, new_job, run_concurrently

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

CAROL = {"actor": "carol", "note": "a deploy"}


def only_entry() -> AuditEntry:
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.note) == ("carol", "a deploy")
    return entry


def ended_job(state: State, days_ago: float = 0.0) -> Job:
    """Return a job that ended in this state, this many days ago."""
    job = new_job()
    end(begin(job), state, code="broken") if state != State.CANCELLED else verbs.cancel(job.id)
    at = timezone.now() - timedelta(days=days_ago)
    if days_ago:
        made = first_id_at(at - timedelta(minutes=1))
        job.failed_attempts.all().delete()  # which knows it by its id
        Job.objects.filter(id=job.id).update(id=made, finished_at=at)
        return Job.objects.get(id=made)
    return job


def test_pause_and_resume_are_stored_with_audit_entries():
    audited.pause("test", **CAROL)
    assert Pause.objects.get().queue == "test"
    entry = only_entry()
    assert (entry.action, entry.queue, entry.job_id) == ("pause", "test", None)
    audited.resume("test", **CAROL)
    assert not Pause.objects.exists()
    assert AuditEntry.objects.first().action == "resume"


@pytest.mark.parametrize("verb", ["cancel", "retry", "promote", "remove"])
def test_move_of_job_is_done_and_audited(verb):
    job = ended_job(State.FAILED) if verb == "retry" else new_job(delay=60)
    getattr(audited, verb)(job.id, **CAROL)
    entry = only_entry()
    assert (entry.action, entry.queue, entry.job_id) == (verb, "test", job.id)
    left = Job.objects.filter(id=job.id).values_list("state", flat=True).first()
    ends = {"cancel": State.CANCELLED, "retry": State.WAITING, "promote": State.WAITING, "remove": None}
    assert left == ends[verb]


@pytest.mark.parametrize("verb", ["cancel", "retry", "promote", "remove"])
def test_move_in_wrong_state_is_refused_without_audit_entry(verb):
    job = ended_job(State.COMPLETED)
    if verb == "remove":
        begin(job := new_job())
    before = Job.objects.get(id=job.id)
    with pytest.raises(WrongState):
        getattr(audited, verb)(job.id, **CAROL)
    assert Job.objects.get(id=job.id).state == before.state
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "verb",
    [
        audited.pause,
        audited.resume,
        audited.drain,
        audited.promote_all,
        audited.clear_limits,
        lambda queue, **who: audited.set_limits(queue, concurrency=3, **who),
        lambda queue, **who: audited.note_group(queue, "k", "c", "text", **who),
        lambda queue, **who: audited.retry_group(queue, "k", "c", **who),
        lambda queue, **who: audited.clean(queue, state="failed", older_than=timedelta(0), **who),
    ],
)
def test_unknown_queue_is_refused_by_name(verb):
    with pytest.raises(ImproperlyConfigured, match="nowhere"):
        verb("nowhere", **CAROL)
    assert not AuditEntry.objects.exists()


def test_drain_cancels_waiting_and_delayed_jobs_but_not_active_ones():
    submit_many("test.noop", [{}] * 3)
    new_job(delay=60)
    begin(running := new_job())
    assert audited.drain("test", **CAROL) == 4
    assert only_entry().detail == {"jobs": 4}
    assert Job.objects.get(state=State.ACTIVE) == Job.objects.get(id=running.id)
    assert Job.objects.filter(state=State.CANCELLED).count() == 4


def test_drain_interrupted_has_correct_audit_entry(monkeypatch):
    submit_many("test.noop", [{}] * 5)
    monkeypatch.setattr(audited, "_BATCH_SIZE", 2)
    done = verbs.drain_some

    def fail_second_call(queue: str, most: int) -> int:
        if Job.objects.filter(state=State.CANCELLED).exists():
            raise KeyboardInterrupt
        return done(queue, most)

    monkeypatch.setattr(verbs, "drain_some", fail_second_call)
    with pytest.raises(KeyboardInterrupt):
        audited.drain("test", **CAROL)
    assert only_entry().detail == {"jobs": 2}
    assert Job.objects.filter(state=State.CANCELLED).count() == 2


def test_promote_all_skips_jobs_with_unfinished_parents():
    parent = new_job(delay=60)
    new_job(depends_on=[parent])
    assert audited.promote_all("test", **CAROL) == 1
    assert only_entry().detail == {"jobs": 1}
    assert Job.objects.get(id=parent.id).state == State.WAITING


def test_clean_removes_old_jobs_in_batches(monkeypatch):
    monkeypatch.setattr(audited, "_BATCH_SIZE", 2)
    for days in (9, 10, 11, 12, 13):
        ended_job(State.FAILED, days)
    kept = [ended_job(State.FAILED, 1), ended_job(State.COMPLETED, 10), new_job()]
    assert audited.clean("test", state="failed", older_than=timedelta(days=7), **CAROL) == 5
    assert set(Job.objects.values_list("id", flat=True)) == {job.id for job in kept}
    assert (only_entry().detail["jobs"], only_entry().detail["state"]) == (5, "failed")


@pytest.mark.parametrize("state", ["waiting", "active", "anything"])
def test_clean_of_unfinished_state_is_refused(state):
    with pytest.raises(BadValue, match="state"):
        audited.clean("test", state=state, older_than=timedelta(0), **CAROL)
    assert not AuditEntry.objects.exists()


def test_group_of_failures_is_retried_and_noted():
    for _ in range(3):
        ended_job(State.FAILED)
    audited.note_group("test", "test.echo", "broken", " Known; see the runbook. ", **CAROL)
    assert FailureNote.objects.get().note == "Known; see the runbook."
    assert audited.retry_group("test", "test.echo", "broken", most=2, **CAROL) == 2
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.subject, entry.detail) == ("retry_group", "test.echo broken", {"jobs": 2})
    assert Job.objects.filter(state=State.WAITING).count() == 2
    audited.note_group("test", "test.echo", "broken", "", **CAROL)
    assert not FailureNote.objects.exists()


def test_retry_by_two_operators_at_once_is_done_once():
    job = ended_job(State.FAILED)
    outcomes = run_concurrently(*[lambda: audited.retry(job.id, actor="either")] * 2)
    assert sorted(isinstance(outcome, WrongState) for outcome in outcomes) == [False, True]
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({}, "limits"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": "3"}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"global_concurrency": -1}, "global_concurrency"),
        ({"owner_concurrency": 10_001}, "owner_concurrency"),
        ({"limiter": (0, 60)}, "limiter"),
        ({"limiter": (2, 0)}, "limiter"),
        ({"limiter": (2, float("nan"))}, "limiter"),
        ({"limiter": "2/60"}, "limiter"),
        ({"attempts": 3}, "attempts"),
        ({"concurrency": 3, "limiter": (2, "soon")}, "limiter"),
    ],
)
def test_invalid_limit_is_refused_by_field(limits, field):
    with pytest.raises(BadValue) as caught:
        audited.set_limits("test", **limits, **CAROL)
    assert caught.value.field == field
    assert not LimitOverride.objects.exists()
    assert not AuditEntry.objects.exists()


def test_changed_limits_are_audited_with_old_values():
    audited.set_limits("test", concurrency=7, limiter=(2, 60), **CAROL)
    assert only_entry().detail == {
        "before": {"concurrency": 50, "limiter": None},
        "after": {"concurrency": 7, "limiter": [2, 60.0]},
    }
    audited.clear_limits("test", **CAROL)
    assert AuditEntry.objects.first().detail == {
        "before": {"concurrency": 7, "limiter": [2, 60.0]},
        "after": {"concurrency": 50, "limiter": None},
    }
    assert not LimitOverride.objects.exists()
