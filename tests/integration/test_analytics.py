"""Events, from the call that tracks them to the rows that are kept, and what is not kept."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from buddy.asgi import application
from chat import analytics, services
from chat.analytics import delivery, tracker
from chat.analytics.endings import ended
from chat.analytics.models import Event, Rollup, Salt, Visit
from chat.analytics.pruning import prune
from chat.analytics.store import store
from queueing import control
from queueing.kinds import Ending, get_kind
from queueing.models import Job
from queueing.states import State
from tests.cluster import environment
from tests.conftest import wait_until
from tests.integration.tabs import ORIGIN, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ON = {"ANALYTICS_DAYS": "90"}


async def post(body: Any, *headers: tuple[bytes, bytes]) -> tuple[int, dict[str, Any]]:
    """What /api/analytics/track answers a program."""
    everything = [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers]
    call = HttpCommunicator(
        application, "POST", "/api/analytics/track", body=json.dumps(body).encode(), headers=everything
    )
    answer = await call.get_response(timeout=10)
    return answer["status"], json.loads(answer["body"])


def row(name: str, at: datetime | None = None, visitor: str = "", **more: Any) -> list[Any]:
    """An event as a job carries it."""
    companion = more.pop("companion", "travel")
    return [(at or timezone.now()).timestamp(), name, companion, visitor, more]


# --- tracking -------------------------------------------------------------------------------------


async def test_clients_track_one_event_or_many_and_are_answered_at_once(counting):
    assert await post({"name": "prompt.used", "companion": "travel", "properties": {"n": 1}}) == (
        202,
        {"accepted": 1},
    )
    assert await post({"events": [{"name": f"x:e{n}"} for n in range(50)]}) == (202, {"accepted": 50})
    assert len(counting._held) == 51
    assert await Job.objects.acount() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "reply.completed"}, "name"),
        ({"name": "x:a", "events": [{"name": "x:b"}]}, "name"),
        ({"events": []}, "events"),
        ({"events": [{"name": "x:a"}] * 51}, "events"),
        ({"events": [{"name": "x:a"}, {"name": "Ada"}]}, "events.1.name"),
        ({"name": "x:a", "companion": "nobody"}, "companion"),
        ({"name": "x:a", "properties": {"deep": {"er": 1}}}, "properties.deep"),
        ({"events": [{"name": "x:a", "properties": {"text": "x" * 65}}]}, "events.0.properties.text"),
    ],
)
async def test_what_cannot_be_tracked_is_named_and_nothing_is_kept(counting, body, field):
    status, problem = await post(body)
    assert (status, problem["code"]) == (422, "invalid")
    assert problem["field"].startswith(field)
    assert not counting._held


@pytest.mark.parametrize("header", [(b"dnt", b"1"), (b"sec-gpc", b"1")])
async def test_who_asks_not_to_be_tracked_is_answered_the_same_and_nothing_is_kept(counting, header):
    from django.contrib.sessions.models import Session

    assert await post({"name": "x:a"}, header) == (202, {"accepted": 0})
    assert not counting._held
    assert not await Session.objects.aexists()
    assert (await post({"name": "y"}, header))[0] == 422, "what is wrong is still said"


@pytest.mark.parametrize("header", [(b"x-other", b"1"), (b"dnt", b"1")])
async def test_a_socket_of_somebody_who_asks_not_to_be_tracked_counts_for_nobody(counting, header):
    async with browser() as alice:
        await alice.client.get("/")
        cookie = f"sessionid={alice.client.cookies['sessionid'].value}".encode()
        counting._held.clear()
        tab = Tab(application, "/ws/", headers=[ORIGIN, (b"cookie", cookie), header])
        await tab.connect(timeout=10)
        await tab.ask()
        await tab.hear_until("chat:queued")
        await tab.disconnect()
    (sent,) = counting._held
    assert (sent.name, sent.companion) == ("message.sent", "travel")
    assert bool(sent.owner) == (header[0] != b"dnt")


async def test_turned_off_nothing_is_held(counting, settings):
    settings.ANALYTICS_DAYS = 0
    analytics.track("page.opened", owner="s:ada")
    assert await post({"name": "x:a"}) == (202, {"accepted": 0})
    assert not counting._held


def test_a_call_costs_its_caller_microseconds(counting):
    best = min(
        _timed(lambda: analytics.track("message.sent", owner="s:ada", companion="travel"))
        for _ in range(2000)
    )
    assert best < 50e-6


def _timed(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# --- handing over ---------------------------------------------------------------------------------


def test_many_events_travel_as_few_jobs_within_the_payloads_limit(counting):
    for n in range(450):
        analytics.track("x:wide", owner=f"s:{n}", **{f"property{p}": "é" * 60 for p in range(10)})
    counting.flush()
    jobs = Job.objects.filter(kind="analytics.write")
    assert all(job.queue == "analytics" and job.priority == 1 for job in jobs)
    assert sum(len(job.args["events"]) for job in jobs) == 450
    assert 10 < len(jobs) < 20
    assert not counting._held


def test_no_owner_leaves_the_process(counting):
    analytics.track("message.sent", owner="s:0123456789abcdef", companion="travel")
    counting.flush()
    (job,) = Job.objects.all()
    assert "0123456789abcdef" not in json.dumps(job.args)
    assert len(job.args["events"][0][3]) == 24


def test_what_our_own_code_tracks_wrongly_is_thrown_away_alone(counting, caplog):
    analytics.track("message.sent", text="what somebody wrote, and at some length: " * 3)
    analytics.track("no.such.name")
    analytics.track("message.sent")
    counting.flush()
    (job,) = Job.objects.all()
    assert [event[1] for event in job.args["events"]] == ["message.sent"]
    assert "not kept" in caplog.text
    assert "what somebody wrote" not in caplog.text


def test_with_the_database_away_events_are_held_up_to_a_bound_and_the_rest_is_counted(counting, monkeypatch):
    monkeypatch.setattr(tracker, "MOST", 300)
    submit = delivery.submit

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(delivery, "submit", away)
    for _ in range(400):
        analytics.track("page.opened")
    counting.flush()
    assert (len(counting._held), counting.dropped) == (300, 100)

    monkeypatch.setattr(delivery, "submit", submit)
    counting.flush()
    assert [len(job.args["events"]) for job in Job.objects.order_by("id")] == [200, 100]


def test_with_redis_away_nothing_is_lost(counting, valkey):
    valkey.stop()
    try:
        analytics.track("page.opened")
        counting.flush()
    finally:
        valkey.start()
    assert Job.objects.get().state == State.WAITING


def test_a_process_that_ends_hands_over_what_it_holds(db):
    import subprocess
    import sys

    code = (
        "import django; django.setup()\n"
        "from multiprocessing import get_context\n"
        "from chat.analytics import track\n"
        "track('page.opened', owner='s:parent')\n"
        "child = get_context('fork').Process(target=track, args=('prompt.used',))\n"
        "child.start(); child.join()\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(**ON), check=True, timeout=60)
    names = [event[1] for job in Job.objects.all() for event in job.args["events"]]
    assert sorted(names) == ["page.opened", "prompt.used"]


# --- writing --------------------------------------------------------------------------------------


def test_events_become_rows_and_sums_and_visitors_exactly_once(counting, qcluster):
    for n in range(120):
        analytics.track("message.sent", owner=f"s:{n % 7}", companion="travel" if n % 2 else "culture")
    counting.flush()
    qcluster(**ON)
    job = Job.objects.get()
    wait_until(lambda: _fresh(job).state == State.COMPLETED, "the batch to be written")
    assert Event.objects.count() == 120
    assert len(set(Event.objects.values_list("visitor", flat=True))) == 7
    day = {row.companion: row.count for row in Rollup.objects.filter(seconds=86400)}
    assert day == {"travel": 60, "culture": 60}
    visits = Visit.objects.filter(companion="").count(), Visit.objects.filter(companion="travel").count()
    assert visits == (7, 7)
    assert _fresh(job).args == {}, "what visitors did outlives its table in no job"


def _fresh(job: Job) -> Job:
    job.refresh_from_db()
    return job


def test_a_batch_that_runs_twice_is_kept_once(counting):
    from chat.analytics.jobs import write

    analytics.track("page.opened")
    counting.flush()
    job = Job.objects.get()
    for _ in range(2):
        write(type("Ctx", (), {"job_id": job.id.hex}), **job.args)
    assert Event.objects.count() == 1
    assert Rollup.objects.get(seconds=3600).count == 1


def test_a_batch_takes_a_handful_of_statements_however_many_events_it_has():
    def statements(rows: list[Any]) -> int:
        with transaction.atomic(), CaptureQueriesContext(connection) as made:
            store(rows)
        return len(made)

    few = statements([row("message.sent", visitor="a" * 24)])
    many = statements([row("message.sent", visitor=f"{n:024x}", companion="culture") for n in range(200)])
    assert few <= 6
    assert many <= 8  # SQLite takes 999 values in one


def test_a_paused_queue_keeps_events_until_it_goes_on(counting, qcluster):
    control.pause("analytics")
    qcluster(**ON)
    analytics.track("page.opened", owner="s:ada")
    counting.flush()
    assert Job.objects.get().state == State.WAITING
    control.resume("analytics")
    wait_until(Event.objects.exists, "the event to be written")


def test_sums_add_up_over_batches_hours_and_days():
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    moments = [midnight + timedelta(hours=h) for h in (0, 1, 1, 23, 24)]
    for moment in moments:
        store(
            [row("reply.completed", moment, wait=2.0, run=10), row("reply.failed", moment, code="no_quota")]
        )
    days = Rollup.objects.filter(seconds=86400, name="reply.completed").order_by("start")
    assert [(day.start, day.count, day.sums["wait"], sum(day.spreads["run"].values())) for day in days] == [
        (midnight, 4, 8.0, 4),
        (midnight + timedelta(days=1), 1, 2.0, 1),
    ]
    hours = Rollup.objects.filter(seconds=3600, name="reply.failed").order_by("start")
    assert [(hour.start.hour, hour.count, hour.code) for hour in hours] == [
        (0, 1, "no_quota"), (1, 2, "no_quota"), (23, 1, "no_quota"), (0, 1, "no_quota"),
    ]  # fmt: skip


def test_batches_written_at_once_neither_lose_nor_block_each_other():
    def write(worker: int) -> None:
        try:
            for batch in range(5):
                names = ("message.sent", "page.opened", "prompt.used")[:: -1 if worker % 2 else 1]
                store([row(name, visitor=f"{batch:024}") for name in names for _ in range(10)])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    days = Rollup.objects.filter(seconds=86400).values_list("name", "count")
    assert sorted(days) == [("message.sent", 200), ("page.opened", 200), ("prompt.used", 200)]
    assert Visit.objects.filter(companion="").count() == 5


def test_clients_names_and_numbers_do_not_swell_the_sums():
    store([row(f"x:{n}", code=f"c{n}", number=5) for n in range(30)])
    (day,) = Rollup.objects.filter(seconds=86400)
    assert (day.name, day.code, day.count, day.sums) == ("x:", "", 30, {})


# --- what a reply leaves behind -------------------------------------------------------------------


async def test_a_reply_is_counted_with_its_times_and_a_failure_with_its_code(counting, qcluster, provider):
    qcluster(**provider.publishes, **ON)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("One", request_id="r-1")
        await tab.hear_until("chat:completed")
        provider.script(status=400)
        await tab.ask("Two", request_id="r-2")
        await tab.hear_until("chat:failed")
        await tab.disconnect()

    def kept() -> dict[str, Event]:
        return {event.name: event for event in Event.objects.filter(name__startswith="reply.")}

    from asgiref.sync import sync_to_async

    found = await sync_to_async(
        lambda: wait_until(lambda: len(kept()) == 2 and kept(), "both to be counted")
    )()
    completed, failed = found["reply.completed"], found["reply.failed"]
    assert completed.companion == failed.companion == "travel"
    assert completed.visitor == ""
    assert set(completed.properties) == {"wait", "run"}
    assert 0 <= completed.properties["run"] < 10
    assert failed.properties["code"]


# --- keeping --------------------------------------------------------------------------------------


def _prune_all() -> None:
    while prune():
        pass


def test_what_is_too_old_goes_and_the_rest_stays(settings):
    settings.ANALYTICS_DAYS = 30
    now = timezone.now()
    ages = [0, 1, 29, 31, 400]
    store([row("message.sent", now - timedelta(days=age), visitor=f"{age:024}") for age in ages])
    for age in ages:
        Salt.objects.create(day=(now - timedelta(days=age)).date(), secret=b"s")
    _prune_all()
    assert Event.objects.count() == 3
    assert sorted((now.date() - visit.day).days for visit in Visit.objects.filter(companion="")) == [0, 1, 29]
    assert Rollup.objects.filter(seconds=86400).count() == 3
    assert Rollup.objects.filter(seconds=3600).count() == 2, "hours are shown of the last day alone"
    assert Salt.objects.count() == 2, "then nobody can say any more who a visitor was"


def test_turned_off_everything_goes(settings):
    store([row("message.sent", visitor="a" * 24)])
    settings.ANALYTICS_DAYS = 0
    _prune_all()
    for model in (Event, Rollup, Visit):
        assert not model.objects.exists()


def test_upkeep_prunes():
    from queueing import retention

    assert prune in retention.steps


@pytest.mark.parametrize(
    ("kind", "word"),
    [("chat.reply", "reply"), ("audio.transcribe", "voice"), ("analysis.document", "document")],
)
def test_all_kinds_of_work_are_counted_when_they_end(counting, kind, word):
    get_kind(kind)  # there is one of this name
    more = {"state": State.COMPLETED, "result": {"cached": True}, "error": "", "text": "", "owner": "s:ada"}
    for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
        ended(
            Ending(
                **more | {"job_id": "a" * 32, "args": {}, "kind": kind, "state": state}, waited=1.0, ran=2.0
            )
        )
    names = [happening.name for happening in counting._held]
    assert names == [f"{word}.{end}" for end in ("completed", "failed", "cancelled")]
    assert counting._held[0].properties == {"wait": 1.0, "run": 2.0, "cached": 1}
    assert not any(happening.owner for happening in counting._held)


def test_what_is_rolled_back_is_not_counted(counting):
    with transaction.atomic():
        services.ask(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
        transaction.set_rollback(True)
    assert not counting._held
    for _ in range(2):  # the same request twice is one message
        services.ask(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
    assert [happening.name for happening in counting._held] == ["message.sent"]
