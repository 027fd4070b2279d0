"""Jobs that have not begun before their deadline: no run begins, and they end once, with all that follows."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from queueing.control import verbs
from queueing.kinds import find_kind
from queueing.models import Job
from queueing.record import attempts, not_started
from queueing.recovery import stalled
from queueing.schedule.scripts import Claimed
from queueing.states import State
from queueing.submit import submit
from queueing.testing import drain
from tests.queueing.testapp.models import Written

from .lifecycle import begin, end, new_job, run_concurrently, stalled_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "either_database")]


def late(job: Job) -> Job:
    """Let the deadline of the job pass."""
    Job.objects.filter(id=job.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return job


def state_of(job: Job) -> tuple[str, str]:
    job.refresh_from_db()
    return job.state, job.error_code


def try_to_begin(job: Job) -> list[Any]:
    return attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], "c1/w/1")


def test_run_begins_before_the_deadline_and_may_end_after_it():
    job = new_job(expires=60)
    run = begin(job)
    assert not_started.end_expired([late(job).id]).ended == not_started.sweep_expired() == []
    end(run)
    assert state_of(job) == (State.COMPLETED, "")


@pytest.mark.parametrize("again", ["retried", "released", "stalled"])
def test_next_run_does_not_begin_after_the_deadline(again):
    job = new_job(expires=60)
    run = begin(job)
    if again == "stalled":
        stalled_once(job)
        Job.objects.update(suspect=False)
    else:
        end(run, State.DELAYED if again == "retried" else State.WAITING)
    assert try_to_begin(late(job)) == []
    assert [ended.pk for ended in not_started.end_expired([job.id]).ended] == [job.pk]
    assert state_of(job) == (State.FAILED, "expired")
    assert stalled.stall_events([(job.id.hex, "c1/w/1")]) == []


def test_job_that_is_found_by_several_ends_once():
    job = late(new_job(expires=60))
    steps = [not_started.sweep_expired, lambda: not_started.end_expired([job.id]).ended] * 2
    ended = run_concurrently(*steps)
    assert sorted(len(found) for found in ended) == [0, 0, 0, 1]
    assert Written.objects.count() == 1


def test_end_hook_that_raises_does_not_keep_the_job(monkeypatch):
    def broken(ending):
        Written.objects.create(job_id=ending.job_id, state="never")
        raise RuntimeError("no")

    kind = find_kind("test.echo")
    monkeypatch.setitem(
        find_kind.__globals__["_kinds"], "test.echo", type(kind)(**vars(kind) | {"on_end": broken})
    )
    job = late(new_job(expires=60))
    assert not_started.sweep_expired() == [job]
    assert state_of(job) == (State.FAILED, "expired")
    assert not Written.objects.exists()


def test_dependents_fail_and_wait_again_when_the_job_is_retried():
    parent = late(new_job(expires=60))
    child = submit("test.echo", {}, depends_on=[parent], expires=60).job
    not_started.sweep_expired()
    assert state_of(parent) == (State.FAILED, "expired")
    assert state_of(child) == (State.FAILED, "parent_failed")
    late(child)
    verbs.retry(parent.id)
    assert state_of(child) == (State.DELAYED, "")
    end(begin(parent))
    assert state_of(child) == (State.WAITING, "")
    assert try_to_begin(child), "a retry by a person removes the deadline that has passed"


def test_drain_ends_an_expired_job():
    job = submit("options.kind", {}, expires=timezone.now()).job
    assert drain() == [job]
    assert state_of(job) == (State.FAILED, "expired")
