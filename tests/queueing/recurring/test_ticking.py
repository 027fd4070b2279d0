"""Each tick that is due submits one job, or is skipped with its reason."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from queueing.control import verbs as job_verbs
from queueing.models import Job, RecurringJob, RecurringTick
from queueing.recurring import history, ticking, verbs
from queueing.states import State
from queueing.submit import submit_many
from tests.support.valkey import point_at

from .conftest import NOON, look

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def entries(row) -> list[tuple[str, str, int]]:
    """Return (time, outcome, number) of the history, the oldest first."""
    found = RecurringTick.objects.filter(recurring=row).order_by("tick")
    return [(f"{entry.tick:%H:%M}", entry.outcome, entry.number) for entry in found]


def end_all() -> None:
    """Complete all jobs."""
    Job.objects.update(state=State.COMPLETED, finished_at=timezone.now())


def test_tick_that_is_due_submits_one_job_with_its_time(recurring_job, clock):
    row = recurring_job(args={"n": 7}, owner="u:1")
    look()
    assert not Job.objects.exists(), "the next tick is at 12:10"
    clock.step(minutes=10)
    look()
    look()
    job = Job.objects.get()
    assert (job.kind, job.args, job.owner) == ("test.noop", {"n": 7}, "u:1")
    assert job.meta == {"recurring": "r", "tick": "2026-06-01T12:10:00+00:00"}
    row.refresh_from_db()
    assert (row.next_at, row.last_job) == (datetime(2026, 6, 1, 12, 20, tzinfo=UTC), job.id)
    assert entries(row) == [("12:10", "submitted", 1)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Three hours without workers. By default a tick runs up to five minutes (half the interval) late.
        ({"missed": "one"}, [("12:10", "late", 17), ("15:00", "submitted", 1)]),
        ({"missed": "one", "grace": 20}, [("12:10", "late", 18)]),
        ({"missed": "skip", "grace": 3600}, [("12:10", "late", 17), ("15:00", "submitted", 1)]),
        ({"missed": "one", "grace": 86400}, [("12:10", "missed", 17), ("15:00", "submitted", 1)]),
        (
            {"missed": "all", "grace": 1500, "overlap": "allow"},
            [("12:10", "late", 15), *((at, "submitted", 1) for at in ("14:40", "14:50", "15:00"))],
        ),
    ],
)
def test_missed_ticks_follow_the_policy_within_the_grace_time(recurring_job, clock, values, expected):
    row = recurring_job(**values)
    clock.step(hours=3)
    look()
    assert entries(row) == expected
    assert RecurringJob.objects.get().next_at == datetime(2026, 6, 1, 15, 10, tzinfo=UTC)


def test_missed_tick_of_skip_runs_within_a_minute_only(recurring_job, clock):
    row = recurring_job(missed="skip", grace=3600)
    clock.step(minutes=10)
    look()
    end_all()
    clock.step(minutes=11)  # 12:21:30
    look()
    assert entries(row) == [("12:10", "submitted", 1), ("12:20", "late", 1)]


def test_missed_ticks_of_a_day_run_at_most_a_hundred_times(recurring_job, clock):
    row = recurring_job(every=120, missed="all", grace=86_400, overlap="allow")
    clock.step(days=1)
    look()
    assert Job.objects.count() == 100
    assert RecurringTick.objects.filter(outcome="missed").get().number == 720 - 100
    assert [job.meta["tick"] for job in Job.objects.order_by("id")] == sorted(
        job.meta["tick"] for job in Job.objects.all()
    ), "the oldest first"
    assert RecurringJob.objects.get(pk=row.pk).next_at > timezone.now()


def test_tick_while_an_earlier_job_is_unfinished_follows_the_policy(recurring_job, clock):
    rows = [recurring_job(name=name, overlap=name) for name in ("skip", "queue", "allow")]
    for _ in range(2):
        clock.step(minutes=10)
        look()
    skip, queue, allow = (entries(row) for row in rows)
    assert skip == [("12:10", "submitted", 1), ("12:20", "overlap", 1)]
    assert queue == allow == [("12:10", "submitted", 1), ("12:20", "submitted", 1)]
    waits = {job.meta["recurring"]: job.unfinished_parents for job in Job.objects.order_by("id")}
    assert waits == {"skip": 0, "queue": 1, "allow": 0}
    end_all()
    clock.step(minutes=10)
    look()
    assert entries(rows[0])[-1] == ("12:30", "submitted", 1)


def test_refused_tick_is_tried_again_within_the_grace_time(recurring_job, clock, settings):
    """The queue is full; then it has room."""
    full = settings.QUEUEING["QUEUES"]["test"] | {"soft_limit": 1, "hard_limit": 1}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": settings.QUEUEING["QUEUES"] | {"test": full}}
    (other,) = submit_many("test.noop", [{}])
    row = recurring_job()
    clock.step(minutes=10)
    look()
    row.refresh_from_db()
    assert "queue_full" in row.refusal
    assert (entries(row), row.next_at.minute) == ([], 10)
    job_verbs.cancel(other.id)
    clock.step(seconds=30)
    look()
    assert entries(row) == [("12:10", "submitted", 1)]
    assert RecurringJob.objects.get().refusal == ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "no.such"}, "no.such"),
        ({"args": {"text": [1] * 40_000}}, "bytes of JSON"),
        ({"kind": "test.sync", "args": {"wrong": 1}}, "does not take these"),
        ({"cron": "not a cron", "every": None}, "wrong number of fields"),
        ({"time_zone": "Mars/Olympus", "cron": "0 * * * *", "every": None}, "Mars/Olympus"),
    ],
)
def test_tick_that_cannot_be_submitted_is_skipped_with_its_reason(recurring_job, clock, change, named):
    """Another release, or a person with the database, left a row that this code cannot do."""
    row = recurring_job()
    RecurringJob.objects.update(**change)
    clock.step(minutes=12)  # after the minute that is left to workers with other code
    look()
    row.refresh_from_db()
    assert named in row.refusal
    assert row.look_at > timezone.now(), "it is not tried again at once"
    assert not Job.objects.exists()
    other = recurring_job(name="other")
    clock.step(minutes=10)
    look()
    assert entries(other) == [("12:20", "submitted", 1)], "the others go on"
    if "cron" not in change:
        clock.step(minutes=10)
        look()
        skipped = RecurringTick.objects.filter(recurring=row, outcome="refused").first()
        assert named in skipped.detail


def test_kind_that_this_process_does_not_know_is_left_to_others_at_first(recurring_job, clock):
    recurring_job()
    RecurringJob.objects.update(kind="no.such")
    clock.step(minutes=9, seconds=50)
    assert not ticking.next_looks()
    clock.step(minutes=1)
    assert len(ticking.next_looks()) == 1


def test_paused_ticks_are_skipped_once_it_is_resumed(recurring_job, clock):
    row = recurring_job()
    verbs.pause("r")
    clock.step(minutes=35)
    look()
    assert entries(row) == []
    verbs.resume("r")
    look()
    assert entries(row) == [("12:10", "paused", 3)]
    clock.step(minutes=5)
    look()
    assert entries(row)[-1] == ("12:40", "submitted", 1)
    verbs.resume("r")
    assert len(entries(row)) == 2, "resuming what runs changes nothing"


def test_run_now_submits_at_once_and_leaves_the_next_tick(recurring_job, clock):
    row = recurring_job()
    verbs.pause("r")
    first, second = verbs.run_now("r"), verbs.run_now("r")
    assert first.id != second.id
    row.refresh_from_db()
    assert (row.next_at.minute, row.last_job) == (10, second.id)
    assert {outcome for _, outcome, _ in entries(row)} == {history.RUN_NOW}
    verbs.resume("r")
    clock.step(minutes=10)
    look()
    assert entries(row)[-1] == ("12:10", "overlap", 1), "its job is unfinished, too"


def test_changed_times_are_computed_from_now(recurring_job, clock):
    row = recurring_job()
    clock.step(minutes=25)
    recurring_job(cron="0 9 * * *", time_zone="Europe/Berlin")
    row.refresh_from_db()
    assert row.next_at == datetime(2026, 6, 2, 7, tzinfo=UTC)
    assert entries(row) == [("12:10", "changed", 2)]
    recurring_job(cron="0 9 * * *", time_zone="Asia/Kolkata")
    assert RecurringJob.objects.get().next_at == datetime(2026, 6, 2, 3, 30, tzinfo=UTC)


def test_change_of_anything_but_the_times_keeps_a_tick_that_is_due(recurring_job, clock):
    row = recurring_job()
    clock.step(minutes=12)
    recurring_job(args={"n": 2})
    look()
    assert entries(row) == [("12:10", "submitted", 1)]
    assert Job.objects.get().args == {"n": 2}


def test_clock_that_is_set_back_repeats_no_tick(recurring_job, clock):
    """One host is ahead of the others, and another one computes the next tick again."""
    row = recurring_job()
    clock.step(minutes=10)
    look()
    clock.step(seconds=-45)
    verbs.pause("r")
    verbs.resume("r")
    assert RecurringJob.objects.get().next_at.minute == 10
    clock.step(seconds=45)
    look()
    assert Job.objects.count() == 1
    assert len(entries(row)) == 1


def test_tick_without_redis_is_kept(recurring_job, clock, settings):
    recurring_job(owner="u:1")
    point_at(settings, "redis://127.0.0.1:1/0")
    clock.step(minutes=10)
    look()
    assert Job.objects.get().state == State.WAITING


def test_look_when_nothing_is_due_is_one_query(recurring_job):
    for number in range(5):
        recurring_job(name=f"r{number}")
    with CaptureQueriesContext(connection) as asked:
        (_key, at), *others = ticking.next_looks()
    assert len(asked) == 1
    assert (at - NOON).total_seconds() == 570
    assert len(others) == 4


def test_error_of_one_tick_is_noted_and_tried_again_later(recurring_job, clock, monkeypatch):
    row = recurring_job()
    monkeypatch.setattr(ticking, "submit_job", lambda *_, **__: 1 / 0)
    clock.step(minutes=10)
    look()
    row.refresh_from_db()
    assert "ZeroDivisionError" in row.refusal
    assert row.look_at == timezone.now() + timedelta(seconds=60)
    monkeypatch.undo()


def test_history_is_pruned_by_age_and_number(recurring_job, clock, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    row = recurring_job(overlap="allow")
    for _ in range(5):
        clock.step(minutes=10)
        look()
    assert history.prune() == 2
    assert [at for at, _, _ in entries(row)] == ["12:30", "12:40", "12:50"]
    clock.step(days=31)
    assert history.prune() == 3
    assert history.prune() == 0


def test_recurring_job_whose_times_are_over_is_not_looked_at(recurring_job):
    recurring_job()
    RecurringJob.objects.update(next_at=None, look_at=None)
    assert ticking.next_looks() == []
    look()
