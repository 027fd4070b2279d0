"""S9: stores that clients without an account fill have a maximum for one network and in all."""

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

import pytest
from django.apps import apps
from django.test import AsyncClient
from django.utils import timezone

from chat.analytics.models import Event, Visit
from chat.analytics.pruning import prune
from chat.errors import StorageFull
from chat.limits import disk
from chat.models import Thread
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.api import monitoring
from tests.chat.accounts.account_client import send_message
from tests.chat.browser import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: How each table is bounded, by the part of docs/limits.md that says more. A new table needs an entry.
BOUNDS = {
    "sessions.Session": "LIMIT_VISITORS; MAX_VISITORS; chat.accounts.signing_in.sessions.sweep",
    "uploads.Upload": "LIMIT_MEGABYTES; MAX_UPLOADS_MB; chat.uploads.storage.sweep",
    "uploads.UploadChunk": "as Upload",
    "documents.Analysis": "LIMIT_MEGABYTES; jobs; chat.documents.services.sweep",
    "documents.Chunk": "as Analysis",
    "analytics.Event": "LIMIT_EVENTS; MAX_EVENTS; chat.analytics.pruning.prune",
    "analytics.Rollup": "names of events are few: all names of clients are one row; pruning.prune",
    "analytics.Visit": "as Event: one at most for each; pruning.prune",
    "analytics.Salt": "one a day; pruning.prune",
    "analytics.Feedback": "one for each answer",
    "chat.Thread": "LIMIT_ADDRESS; MAX_VISITORS; with the session",
    "chat.ThreadName": "at most one for each Thread",
    "chat.Message": "as Thread",
    "chat.Rendering": "as Message",
    "chat.FoldedText": "as Message; written when its owner searches",
    "queueing.Job": "LIMIT_ADDRESS; hard limits of queues; queueing.record.pruning.prune",
    "queueing.FailedAttempt": "as Job",
    "queueing.LogLine": "as Job",
    "queueing.JobTag": "as Job, at most ten for each; kinds and code give them, not visitors",
    "queueing.Dependency": "as Job",
    "alerts.Alert": "one for each health warning that lasted; alerts.record.prune",
    "queueing.QueueMinute": "one a minute and queue; counters.compact",
    "care.CareCount": "one a day, companion and level",
    "usage.ModelCall": "as Job; one for each call, of which LIMIT_ADDRESS counts all",
    "usage.DailyUsage": "one for each owner and day with a call",
    "usage.BudgetReservation": "as Job",
}
#: Tables that only users, staff or workers fill.
OF_OTHERS = {"admin", "auth", "contenttypes", "django_q", "account", "mfa", "socialaccount", "accounts"}
#: Tables of the engine that operators fill.
OF_OPERATORS = {
    "AuditEntry", "FailureNote", "LimitOverride", "OwnerWeight", "Pause", "RecurringJob", "RecurringTick",
}  # fmt: skip


def test_every_table_that_visitors_fill_has_a_bound():
    """Generated from the models, so that a new table is not forgotten."""
    models = [model for model in apps.get_models() if not model.__module__.startswith("tests.")]
    tables = {model._meta.label for model in models if model._meta.app_label not in OF_OTHERS}
    unknown = {table for table in tables if table not in BOUNDS and table.split(".")[1] not in OF_OPERATORS}
    assert not unknown, f"say in BOUNDS how these tables are bounded: {sorted(unknown)}"


@pytest.fixture
def full_disk(settings):
    """A disk with less free space than the setting asks for."""
    settings.MIN_FREE_MB = 10**9


async def ask(client: AsyncClient) -> int:
    answer = await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    return int(answer.status_code)


async def test_nearly_full_disk_refuses_what_is_sent_and_reads_on(full_disk):
    client = AsyncClient()
    answer = await client.post("/api/travel", {"message": "Hi"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert answer["Retry-After"] == "60"
    assert await Thread.objects.acount() == 0
    for path in ("/", "/api/threads", "/api/usage"):
        assert (await client.get(path)).status_code == 200


async def test_nearly_full_disk_refuses_messages_of_sockets_but_not_cancelling(settings):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = (await tab.receive_until("chat:queued"))[-1]
        settings.MIN_FREE_MB = 10**9
        await tab.ask("More?", "r-2")
        refused = (await tab.receive_until("chat:rejected"))[-1]
        assert (refused["code"], refused["retryAfter"]) == ("storage_full", 60)
        await tab.send_message(type="job:cancel", jobId=queued["jobId"])
        await tab.receive_until("chat:cancelled")
        await send_deletion(alice, queued["threadId"])
    assert await Thread.objects.acount() == 0


async def send_deletion(alice, thread_id: str) -> None:
    answer = await alice.call("delete", f"/api/threads/{thread_id}")
    assert answer.status_code == 204


async def test_nearly_full_disk_is_reported_to_operators(full_disk):
    checks = (await AsyncClient().get("/readyz")).json()["checks"]
    assert checks["disk"] == "nearly full: what clients send is refused"
    health = await monitoring.queue_health()
    assert [w["level"] for w in health["warnings"] if w["code"] == "disk"] == ["critical"]


def test_free_disk_is_measured_where_files_grow(settings, tmp_path):
    """That of temporary files, and of SQLite also the folder of the database."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db"}
    assert disk.places(database) == {tmp_path, Path(tempfile.gettempdir())}
    assert disk.places(database | {"ENGINE": "buddy.postgresql"}) == {Path(tempfile.gettempdir())}
    settings.MIN_FREE_MB = 1
    disk.check()
    settings.MIN_FREE_MB = shutil.disk_usage(tempfile.gettempdir()).total // 2**20 + 1
    with pytest.raises(StorageFull):
        disk.check()


async def test_megabytes_of_one_network_are_limited_whatever_the_cookie(settings):
    settings.LIMITS = settings.LIMITS | {"megabytes": "3/hour"}
    body = b'{"message": "' + b"x" * 2**20 + b'"}'
    answers = [
        await AsyncClient().post("/api/travel", body, content_type="application/json") for _ in range(3)
    ]
    assert [answer.status_code == 429 for answer in answers] == [False, True, True]
    assert await ask(AsyncClient()) == 202


def test_waiting_files_of_all_owners_are_limited(settings):
    settings.MAX_UPLOADS_MB = 2
    for owner in ("s:a", "s:b"):
        storage.store(owner=owner, name="a", stream=BytesIO(b"x" * 2**20))
    with pytest.raises(StorageFull):
        storage.store(owner="s:c", name="a", stream=BytesIO(b"x"))
    assert Upload.objects.count() == 2


async def test_events_of_one_network_are_limited_by_their_number(settings):
    settings.LIMITS, settings.ANALYTICS_DAYS = settings.LIMITS | {"events": "60/hour"}, 90
    body = {"events": [{"name": "x:y"}] * 40}
    answers = [
        await AsyncClient().post("/api/analytics/track", body, content_type="application/json")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 429]


def test_newest_events_stay(settings):
    settings.MAX_EVENTS, settings.ANALYTICS_DAYS = 3, 90
    Event.objects.bulk_create(Event(at=timezone.now(), name=f"x:{n}") for n in range(7))
    while prune():
        pass
    assert sorted(Event.objects.values_list("name", flat=True)) == ["x:4", "x:5", "x:6"]


def test_newest_visits_stay(settings):
    settings.MAX_EVENTS, settings.ANALYTICS_DAYS = 3, 90
    Visit.objects.bulk_create(Visit(day=timezone.now(), visitor=str(n)) for n in range(7))
    while prune():
        pass
    assert sorted(Visit.objects.values_list("visitor", flat=True)) == ["4", "5", "6"]


async def test_visitors_are_limited_in_all(settings):
    settings.MAX_VISITORS = 1
    async with browser() as alice:
        await send_message(alice)
        assert await ask(AsyncClient()) == 507
        await alice.client.get("/")
        await send_message(alice)
    assert await Thread.objects.acount() == 2
