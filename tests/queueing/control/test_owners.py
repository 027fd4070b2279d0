"""Erasing an owner: no worker stores more for it."""

import pytest
from django.db import transaction

from queueing.api import RecurringJob, erase_owner, rename_owner, stop_owner, submit
from queueing.events import progress
from queueing.models import Job
from queueing.recurring.definition import Definition
from queueing.recurring.verbs import store
from queueing.schedule import redis_client, scripts

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "1-a-b"


def append(job_id, text):
    return redis_client.run(scripts.append([scripts.TextChunk(job_id, TOKEN, 1, text, 0)], keep=60))


async def store_progress(job_id):
    await progress.store([progress.Progress(job_id, 1, {"done": 1, "total": 2, "label": "x"}, TOKEN)])


@pytest.fixture
def active_job(valkey):
    """A job of s:alice whose claim holds. It has stored a text."""
    job = submit("test.noop", {}, owner="s:alice").job
    valkey.client.hset(scripts.key("claims"), job.id.hex, TOKEN)
    assert append(job.id.hex, "Dear Alice") == [1]
    return job.id.hex


def erase():
    with transaction.atomic():
        erase_owner("s:alice")


def test_run_of_an_erased_owner_stores_no_more_text(active_job):
    """S23: the job was submitted after the others of its owner were cancelled, and a worker runs it."""
    erase()
    assert append(active_job, "Dear Alice, how") == [0]
    assert redis_client.client().get(scripts.stream_key(active_job)) is None
    assert not Job.objects.exists()


async def test_run_of_an_erased_owner_stores_no_more_progress(active_job):
    from asgiref.sync import sync_to_async

    await store_progress(active_job)
    assert await progress.latest([active_job])
    await sync_to_async(erase)()
    assert not await progress.latest([active_job])
    await store_progress(active_job)
    assert not await progress.latest([active_job])


def test_recurring_jobs_of_an_owner_are_renamed_paused_and_erased(valkey):
    row = store(Definition(name="r", kind="test.noop", every=60, time_zone="UTC", owner="s:alice"))
    stop_owner("s:alice")
    row.refresh_from_db()
    assert row.paused
    with transaction.atomic():
        rename_owner("s:alice", "u:1")
    erase()
    row.refresh_from_db()
    assert row.owner == "u:1"
    with transaction.atomic():
        erase_owner("u:1")
    assert not RecurringJob.objects.exists()


@pytest.mark.parametrize("token", ["", "another"])
def test_run_without_the_claim_stores_nothing(active_job, token):
    key = scripts.app_key("x")
    write = scripts.RunWrite(active_job, token, [("SET", key, "1"), ("EXPIRE", key, 60)])
    assert redis_client.run(scripts.while_claimed([write])) == [0]
    assert redis_client.client().get(key) is None
    write = write._replace(token=TOKEN)
    assert redis_client.run(scripts.while_claimed([write])) == [1]
    assert redis_client.client().get(key) == "1"
