"""Statistics are counted by workers, stored in the database, and survive restarts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from queueing.models import Job, QueueMinute
from queueing.monitoring import counters, overview, statistics
from queueing.record import pruning
from queueing.record.run import as_run
from queueing.states import FINISHED, State
from queueing.submit import submit, submit_many
from queueing.values.ids import first_id_at
from tests.queueing.record.lifecycle import result
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_statistics_survive_workers_and_redis(qcluster, valkey):
    cluster = qcluster()
    for job in submit_many("test.sleep", [{"seconds": 0.1}] * 20):
        finished(job)
    finished(submit("test.flaky", {"fail": 1}).job)
    finished(submit("test.flaky", {"fail": 9, "how": "permanent"}).job)
    cluster.stop()
    valkey.client.flushall()

    period = statistics.recent()["test"]
    assert (period.completed, period.failed, period.retried) == (21, 1, 1)
    assert period.failure_rate == pytest.approx(1 / 22)
    figures = period.as_json()
    assert 0.1 <= figures["run"]["p50"] < 1
    assert figures["wait"]["p99"] is not None
    shown = next(q for q in async_to_sync(overview.queue_overview)()["queues"] if q["name"] == "test")
    assert shown["day"] == {"completed": 21, "failed": 1, "retried": 1}


def test_history_has_even_periods_up_to_now(db):
    now = timezone.now().replace(second=0, microsecond=0)
    for minutes, completed in ((1, 3), (12, 5)):
        QueueMinute.objects.create(
            queue="test", worker="c/w", start=now - timedelta(minutes=minutes), completed=completed
        )
    periods = statistics.history("test", since=now - timedelta(minutes=20), step=timedelta(minutes=5))
    assert sum(period.completed for period in periods) == 8
    assert {b.start - a.start for a, b in pairwise(periods)} == {timedelta(minutes=5)}
    assert periods[-1].start <= timezone.now() < periods[-1].start + timedelta(minutes=5)


def test_compact_merges_old_minutes_and_keeps_sums(db):
    hour = (timezone.now() - counters.KEEP_MINUTES - timedelta(hours=2)).replace(
        minute=0, second=0, microsecond=0
    )
    for minute in range(0, 60, 7):
        for worker in ("c/w1", "c/w2"):
            QueueMinute.objects.create(
                queue="test",
                worker=worker,
                start=hour + timedelta(minutes=minute),
                completed=2,
                waits={"3": 1, "5": 1},
            )
    while counters.compact():
        continue
    row = QueueMinute.objects.get()
    assert (row.start, row.seconds, row.completed, row.waits) == (hour, 3600, 36, {"3": 18, "5": 18})


def test_compact_merges_old_hours_into_one_row(db):
    def old(days, queue="test"):
        start = timezone.now() - timedelta(days=days)
        QueueMinute.objects.create(
            queue=queue, worker="*", seconds=3600, start=start, completed=2, durations={"3": 2}
        )

    for days in (1, 91, 92):
        old(days)
    old(93, queue="test-narrow")
    while counters.compact():
        continue
    old(95)
    while counters.compact():
        continue
    rows = {
        (r.queue, r.start == counters.BEGINNING): (r.completed, r.durations)
        for r in QueueMinute.objects.all()
    }
    assert rows == {
        ("test", False): (2, {"3": 2}),
        ("test", True): (6, {"3": 6}),
        ("test-narrow", True): (2, {"3": 2}),
    }
    assert statistics.totals(hours=48)["test"]["completed"] == 2


def test_counts_after_clock_set_back_replace_no_earlier_counts(db, monkeypatch):
    """E11: the worker has counted in the same minute before, and no longer has that in memory."""
    run = as_run(Job(kind="test.noop", queue="test", created_at=timezone.now()))
    counted, noon = counters.WorkerCounters("c/w"), datetime(2026, 1, 1, 12, tzinfo=UTC)

    def count_at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        counted.add([result(run, ended_at=moment)])
        counters.write(counted.rows())

    for minutes in (0, 1, 5, 60, 0, 1, 1):
        count_at(noon + timedelta(minutes=minutes))
    assert sum(QueueMinute.objects.values_list("completed", flat=True)) == 7


def test_prune_deletes_only_jobs_that_finished_long_ago(db):
    def made(days, state, ended=None):
        at = timezone.now() - timedelta(days=days)
        over = timezone.now() - timedelta(days=days if ended is None else ended)
        return Job.objects.create(
            id=first_id_at(at),
            kind="test.noop",
            queue="test",
            priority=5,
            state=state,
            created_at=at,
            finished_at=over if state in FINISHED else None,
        )

    made(31, State.COMPLETED)
    made(90, State.FAILED, ended=31)
    kept = {made(29, State.COMPLETED).pk, made(40, State.WAITING).pk}
    # E16: delayed for a month, finished now
    kept |= {made(31 + n, state, ended=0).pk for n, state in enumerate(FINISHED)}
    while pruning.prune():
        continue
    assert set(Job.objects.values_list("pk", flat=True)) == kept


def test_finished_lists_in_redis_are_bounded(qcluster, valkey):
    qcluster()
    submit_many("test.noop", [{}] * 150)
    wait_until(lambda: not valkey.client.hlen("{buddy}:jobs"), "all to be done")
    assert valkey.client.zcard("{buddy}:q:test:completed") == 100
