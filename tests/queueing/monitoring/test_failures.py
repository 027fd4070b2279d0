"""Groups of failed jobs, and the progress of active jobs without contents."""

from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.control import audited
from queueing.events.catch_up import catch_up
from queueing.models import Job
from queueing.monitoring import failures, overview
from queueing.schedule import redis_client
from queueing.states import State
from queueing.submit import submit
from tests.queueing.record.lifecycle import begin, end, new_job
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def fail(code: str, minutes_ago: float = 0, error: str = "It did not work.") -> Job:
    job = new_job()
    at = timezone.now() - timedelta(minutes=minutes_ago)
    end(begin(job), State.FAILED, code=code, error=error, ended_at=at)
    return job


def test_groups_are_by_queue_kind_and_code_latest_first():
    fail("timeout", 30)
    fail("no_quota", 20, "The first sentence.")
    newest = fail("no_quota", 10, "The last sentence.")
    audited.note_group("test", "test.echo", "no_quota", "Ask finance.", actor="carol")
    quota, timeout = failures.groups()
    assert (quota.queue, quota.kind, quota.code, quota.count) == ("test", "test.echo", "no_quota", 2)
    assert (quota.message, quota.example_ids[0]) == ("The last sentence.", newest.id.hex)
    assert quota.note is not None
    assert quota.note.note == "Ask finance."
    assert quota.first < quota.last
    assert (timeout.code, timeout.count, timeout.note) == ("timeout", 1, None)
    assert failures.groups("test-narrow") == []


@pytest.mark.parametrize(
    ("lately", "before", "grows"), [(5, 0, True), (4, 0, False), (5, 5, False), (6, 5, True)]
)
def test_group_is_growing_when_more_failed_recently(lately, before, grows):
    for _ in range(lately):
        fail("busy", 1)
    for _ in range(before):
        fail("busy", 15)
    assert failures.groups()[0].growing is grows


def test_groups_read_only_newest_and_say_so(monkeypatch):
    monkeypatch.setattr(failures, "NEWEST", 3)
    for _ in range(4):
        fail("busy")
    (group,) = failures.groups("test")
    assert (group.count, group.more) == (3, True)


async def test_active_job_shows_progress_and_label_only_with_contents(qcluster, valkey):
    from asgiref.sync import sync_to_async

    await sync_to_async(qcluster)()
    job = (await sync_to_async(submit)("test.steps", {"name": "a private file"}, owner="alice")).job
    said = await sync_to_async(wait_until)(lambda: valkey.client.keys("*progress:*"), "its progress")
    assert said
    (shown,) = await overview.active_jobs()
    assert (shown["id"], shown["kind"], shown["progress"]) == (
        job.id.hex,
        "test.steps",
        {"done": 1, "total": 3},
    )
    assert "alice" not in str(shown)
    (whole,) = await overview.active_jobs(contents=True)
    assert whole["progress"]["label"] == "a private file"
    late = await catch_up(job.id.hex)
    assert [(e["type"], e.get("done")) for e in late][-1] == ("test:progress", 1), "who comes late hears it"
    await redis_client.aclose()
