"""Who died, with whom: a death counts against a job only if the job was alone with the worker (E3)."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from queueing import texts
from queueing.conf import get_conf, get_queue
from queueing.models import FailedAttempt, Job
from queueing.record.database_thread import DatabaseThread
from queueing.recovery import suspects
from queueing.recovery.reconcile import reconcile
from queueing.recovery.stalled import record_stalls
from queueing.recovery.suspects import Deaths
from queueing.schedule import redis_client
from queueing.states import State
from queueing.values.ids import first_id_at
from tests.queueing.record.lifecycle import begin, end, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

QUEUE = "test"


def stall(jobs, deaths, token):
    """Let the leases of these jobs expire."""
    return record_stalls(get_queue(QUEUE), [(job.id.hex, token) for job in jobs], deaths=deaths)


def test_jobs_that_died_together_are_suspects_and_none_is_counted():
    jobs = [new_job() for _ in range(3)]
    for number, job in enumerate(jobs):
        begin(job, f"c/w/{number}")
    ids = [job.id.hex for job in jobs]
    # The leases of the claims of one worker expire one after another.
    assert stall(jobs[:1], Deaths({"c/w": ids}, {"c/w": 3}, ()), "c/w/0") == ids[:1]
    assert list(Job.objects.order_by("id").values_list("suspect", "state")) == [
        (True, State.WAITING),
        (True, State.ACTIVE),
        (True, State.ACTIVE),
    ]
    stall(jobs[1:2], Deaths({"c/w": ids[1:]}, {"c/w": 3}, ()), "c/w/1")
    stall(jobs[2:], Deaths({"c/w": ids[2:]}, {"c/w": 1}, ()), "c/w/2")  # Redis forgot the number
    assert set(Job.objects.values_list("stalls", "attempts", "suspect")) == {(0, 0, True)}
    errors = list(FailedAttempt.objects.order_by("id").values_list("error", flat=True))
    assert errors[:2] == [texts.worker_died(3)] * 2


def test_companion_that_ends_before_its_lease_is_no_suspect():
    job = new_job()
    run = begin(job, "c/w/1")
    Job.objects.update(suspect=True)
    end(run, State.DELAYED, delay=1)
    assert not Job.objects.get().suspect


def test_job_whose_worker_lives_is_neither_suspect_nor_counted():
    job = new_job()
    begin(job, "c/w/1")
    assert stall([job], Deaths({"c/w": [job.id.hex]}, {"c/w": 1}, ["c/w"]), "c/w/1") == []
    job.refresh_from_db()
    assert (job.state, job.suspect, job.stalls, job.attempts) == (State.WAITING, False, 0, 0)


def test_job_alone_with_its_worker_is_counted_until_it_fails():
    job = new_job()
    for number, token in enumerate(["c/w/1", "c/x/alone", "c/y/alone"]):
        begin(job, token)
        worker = token.rpartition("/")[0]
        stall([job], Deaths({worker: [job.id.hex]}, {worker: 1}, ()), token)
        job.refresh_from_db()
        assert job.stalls == min(number + 1, get_queue(QUEUE).max_stalled)
    assert (job.state, job.error_code) == (State.FAILED, "stalled")


async def test_reconciliation_puts_no_suspect_in_line(valkey):
    await sync_to_async(new_job)()
    await sync_to_async(Job.objects.update)(suspect=True, id=first_id_at(timezone.now() - timedelta(hours=1)))
    tasks = ["e" * 32, "f" * 32]
    for task_id in tasks:
        valkey.client.hset("{buddy}:packages", task_id, "a package")
    valkey.client.hset("{buddy}:suspects", tasks[0], 0)
    valkey.client.delete("{buddy}:jobs", "{buddy}:q:test:waiting")
    database = DatabaseThread()
    await reconcile("c/w", database)
    assert valkey.client.hkeys("{buddy}:jobs") == [tasks[1]]
    waiting = await suspects.waiting(database, get_conf().queues)
    assert [suspect.entry.id for suspect in waiting][1:] == [tasks[0]]
    database.close()
    await redis_client.aclose()
