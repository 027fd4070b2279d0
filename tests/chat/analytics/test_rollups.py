"""Storing batches of events exactly once, with rollups and visits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from chat.analytics.models import Event, Rollup, Visit
from chat.analytics.rollups import store_events
from chat.analytics.tracking.tracker import track
from queueing.api import Job, State, pause, resume
from tests.support.valkey import wait_until

from .event_rows import ANALYTICS_ON, event_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_flushed_events_become_rows_rollups_and_visits_once(manual_tracker, qcluster):
    for n in range(120):
        track("message.sent", owner=f"s:{n % 7}", companion="travel" if n % 2 else "culture")
    manual_tracker.flush()
    qcluster(**ANALYTICS_ON)
    job = Job.objects.get()
    wait_until(lambda: _fresh(job).state == State.COMPLETED, "the batch to be written")
    assert Event.objects.count() == 120
    assert len(set(Event.objects.values_list("visitor", flat=True))) == 7
    day = {event_row.companion: event_row.count for event_row in Rollup.objects.filter(seconds=86400)}
    assert day == {"travel": 60, "culture": 60}
    visits = Visit.objects.filter(companion="").count(), Visit.objects.filter(companion="travel").count()
    assert visits == (7, 7)
    assert _fresh(job).args == {}, "the events must not stay in the job"


def _fresh(job: Job) -> Job:
    job.refresh_from_db()
    return job


def test_batch_run_twice_is_stored_once(manual_tracker):
    from chat.analytics.jobs import write

    track("page.opened")
    manual_tracker.flush()
    job = Job.objects.get()
    for _ in range(2):
        write(type("Ctx", (), {"job_id": job.id.hex}), **job.args)
    assert Event.objects.count() == 1
    assert Rollup.objects.get(seconds=3600).count == 1


def test_batch_of_any_size_needs_few_statements():
    def statements(rows: list[Any]) -> int:
        with transaction.atomic(), CaptureQueriesContext(connection) as made:
            store_events(rows)
        return len(made)

    few = statements([event_row("message.sent", visitor="a" * 24)])
    many = statements(
        [event_row("message.sent", visitor=f"{n:024x}", companion="culture") for n in range(200)]
    )
    assert few <= 6
    assert many <= 8  # SQLite accepts 999 values in one statement


def test_paused_queue_stores_events_after_it_resumes(manual_tracker, qcluster):
    pause("analytics")
    qcluster(**ANALYTICS_ON)
    track("page.opened", owner="s:ada")
    manual_tracker.flush()
    assert Job.objects.get().state == State.WAITING
    resume("analytics")
    wait_until(Event.objects.exists, "the event to be written")


def test_rollups_add_up_over_batches_hours_and_days():
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    moments = [midnight + timedelta(hours=h) for h in (0, 1, 1, 23, 24)]
    for moment in moments:
        store_events(
            [
                event_row("reply.completed", moment, wait=2.0, run=10),
                event_row("reply.failed", moment, code="no_quota"),
            ]
        )
    days = Rollup.objects.filter(seconds=86400, name="reply.completed").order_by("start")
    assert [
        (day.start, day.count, day.sums["wait"], sum(day.histograms["run"].values())) for day in days
    ] == [
        (midnight, 4, 8.0, 4),
        (midnight + timedelta(days=1), 1, 2.0, 1),
    ]
    hours = Rollup.objects.filter(seconds=3600, name="reply.failed").order_by("start")
    assert [(hour.start.hour, hour.count, hour.code) for hour in hours] == [
        (0, 1, "no_quota"), (1, 2, "no_quota"), (23, 1, "no_quota"), (0, 1, "no_quota"),
    ]  # fmt: skip


def test_concurrent_batches_lose_nothing_and_do_not_deadlock():
    def write(worker: int) -> None:
        try:
            for batch in range(5):
                names = ("message.sent", "page.opened", "prompt.used")[:: -1 if worker % 2 else 1]
                store_events([event_row(name, visitor=f"{batch:024}") for name in names for _ in range(10)])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    days = Rollup.objects.filter(seconds=86400).values_list("name", "count")
    assert sorted(days) == [("message.sent", 200), ("page.opened", 200), ("prompt.used", 200)]
    assert Visit.objects.filter(companion="").count() == 5


def test_client_events_share_one_rollup_without_sums():
    store_events([event_row(f"x:{n}", code=f"c{n}", number=5) for n in range(30)])
    (day,) = Rollup.objects.filter(seconds=86400)
    assert (day.name, day.code, day.count, day.sums) == ("x:", "", 30, {})
