"""Reconciliation: every unfinished row gets back into the schedule, in its state and order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import schedule_entry
from queueing.states import State
from queueing.submit import submit, submit_many
from queueing.values.ids import first_id_at
from tests.queueing.record.lifecycle import begin, end, new_job
from tests.queueing.record.test_dependencies_after import in_line
from tests.queueing.record.test_lost_parents import BY_ORM, deleted_by_sql
from tests.queueing.testapp.models import Written
from tests.support.valkey import point_at

pytestmark = pytest.mark.django_db(transaction=True)


def is_scheduled(job: Job) -> bool:
    """Return whether the schedule knows the job."""
    return redis_client.run(scripts.positions(job.queue, [job.id.hex])) != [None]


def test_reconcile_after_redis_unavailable_enqueues_jobs(valkey, settings, no_settle_time, reconcile_once):
    point_at(settings, "redis://127.0.0.1:1/0")
    jobs = [submit("test.noop", {}, owner="alice").job, *submit_many("test.noop", [{}] * 3)]
    assert Job.objects.count() == 4
    point_at(settings, valkey.url)
    assert reconcile_once() == 4
    assert reconcile_once() == 0, "a second round changes nothing"
    assert all(is_scheduled(job) for job in jobs)


def test_reconcile_redis_data_lost_restores_each_state(valkey, no_settle_time, reconcile_once):
    waiting = submit("test.noop", {}).job
    delayed = submit("test.noop", {}, delay=60).job
    active = submit("test.noop", {}, owner="alice").job
    begin(active)
    retried = submit("test.noop", {}).job
    end(begin(retried), State.DELAYED, delay=30)
    over = submit("test.noop", {}).job
    end(begin(over))
    child = submit("test.noop", {}, depends_on=[waiting]).job
    valkey.client.flushall()
    assert reconcile_once() == 4
    jobs = [waiting, delayed, active, retried, over, child]
    positions = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [position and position.state for position in positions] == [
        "waiting",
        "delayed",
        "active",
        "delayed",
        None,
        None,
    ]
    assert positions[1].due == pytest.approx(60, abs=5)
    assert positions[3].due == pytest.approx(30, abs=5)
    counts = redis_client.run(scripts.counts("test", "alice"))
    assert (counts.active, counts.owner_unfinished) == (1, 1)
    assert valkey.client.hgetall(scripts.key("claims")) == {active.id.hex: "c1/w/1"}


def test_reconcile_finds_jobs_of_a_host_whose_clock_is_an_hour_ahead(valkey, settings, reconcile_once):
    """E11: their ids lie in the future."""
    ahead = first_id_at(timezone.now() + timedelta(hours=1))
    point_at(settings, "redis://127.0.0.1:1/0")
    job = submit("test.noop", {}, job_id=ahead).job
    point_at(settings, valkey.url)
    assert reconcile_once() == 1
    assert is_scheduled(job)


def test_reconcile_several_pages_keeps_order(valkey, no_settle_time, reconcile_once):
    jobs = submit_many("test.noop", [{"n": n} for n in range(2300)])
    valkey.client.flushall()
    assert reconcile_once() == 2300
    positions = redis_client.run(scripts.positions("test", [job.id.hex for job in jobs]))
    assert [position.ahead for position in positions] == list(range(2300))


def test_schedule_entry_with_past_delay_is_not_negative(valkey):
    job = submit("test.noop", {}, delay=0.001).job
    job.refresh_from_db()
    assert schedule_entry(job).delay >= 0


@pytest.mark.parametrize("delete", [*BY_ORM, deleted_by_sql])
def test_jobs_of_a_deleted_parent_run_or_fail_with_the_next_round(valkey, reconcile_once, delete):
    """E17: a parent is deleted through the ORM, or by SQL."""
    parent, other = new_job(), new_job()
    needs, follows, waits = (
        submit("test.echo", {}, depends_on=[parent]).job,
        submit("test.echo", {}, after=[parent]).job,
        submit("test.echo", {}, after=[parent, other]).job,
    )
    behind_needs = submit("test.echo", {}, depends_on=[needs]).job
    delete(parent)
    reconcile_once()
    for job in (needs, follows, waits, behind_needs):
        job.refresh_from_db()
    assert (needs.state, needs.error_code) == (State.FAILED, "parent_deleted")
    assert (behind_needs.state, behind_needs.error_code) == (State.FAILED, "parent_failed")
    assert Written.objects.count() == 2, "the end hooks of both ran"
    assert (follows.state, in_line(follows)) == (State.WAITING, True)
    assert (waits.state, waits.unfinished_parents) == (State.DELAYED, 1)
    assert end(begin(other), State.FAILED).freed == [waits]


def test_reconcile_after_a_failover_checks_all_jobs_at_once(valkey, no_settle_time, reconcile_once):
    """Another server may lack the last writes of the one before, also for jobs that are not recent."""
    job = submit("test.noop", {}).job
    reconcile_once()
    valkey.client.hdel(scripts.key("jobs"), job.id.hex)
    valkey.client.set(scripts.key("checked"), 1, ex=60)
    Job.objects.filter(pk=job.pk).update(id=first_id_at(timezone.now() - timedelta(hours=1)))
    assert reconcile_once() == 0, "an old job, and the last full check is recent"
    valkey.client.set(scripts.key("server"), "the run id of another server")
    assert reconcile_once() == 1
