"""Limits and order across processes: two clusters, owners, priorities, replaced workers."""

import signal

import pytest

from queueing.conf import get_queue
from queueing.models import Job
from queueing.record import attempts
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.record.lifecycle import end
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def max_at_once(valkey, name="narrow"):
    """Return the largest number of jobs that ran at the same time, from the notes that the jobs left."""
    notes = [(x.split(":")[1], +1) for x in valkey.client.lrange(f"note:{name}:started", 0, -1)]
    notes += [(x.split(":")[1], -1) for x in valkey.client.lrange(f"note:{name}:ended", 0, -1)]
    running = maximum = 0
    for _, change in sorted((float(at), change) for at, change in notes):
        running += change
        maximum = max(maximum, running)
    return maximum


def run_narrow(qcluster, valkey, **env):
    qcluster(**env)
    qcluster(**env)
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 2, "two workers")
    for job in submit_many("test.narrow", [{"seconds": 0.2}] * 16):
        assert finished(job).state == State.COMPLETED
    return max_at_once(valkey)


def test_second_cluster_adds_its_concurrency(qcluster, valkey):
    assert run_narrow(qcluster, valkey) in (3, 4)


def test_global_concurrency_limits_all_clusters_together(qcluster, valkey):
    assert run_narrow(qcluster, valkey, QUEUE_TEST_NARROW_GLOBAL_CONCURRENCY="1") == 1


def test_slots_freed_by_a_stopping_cluster_are_used_by_another_at_once(qcluster, valkey):
    only = {"QUEUE_TEST_GLOBAL_CONCURRENCY": "1"}
    clusters = [qcluster(**only), qcluster(**only)]
    wait_until(lambda: valkey.client.hlen("{buddy}:idle") == 2, "two workers with nothing to do")
    running = submit("test.sleep", {"seconds": 1}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the job to start")
    waiting = submit("test.noop", {}).job
    running.refresh_from_db()
    cluster = running.token.partition("/")[0]
    next(one for one in clusters if cluster in one.log.read_text()).process.send(signal.SIGTERM)
    assert finished(waiting).state == State.COMPLETED
    running.refresh_from_db()
    assert running.state == State.COMPLETED


def test_slots_of_expired_leases_of_recorded_ends_are_used(qcluster, valkey):
    """The state after Redis was unavailable while a worker reported ended jobs."""
    ended = submit_many("test.narrow", [{}] * 2)
    claims = redis_client.run(scripts.claim([get_queue("test-narrow")], "c1/w/1", 2)).jobs
    for run in attempts.begin(claims, "c1/w/1"):
        end(run)
    waiting = submit("test.narrow", {}).job
    qcluster(QUEUE_TEST_NARROW_GLOBAL_CONCURRENCY="2")
    assert finished(waiting).state == State.COMPLETED
    assert {finished(job).run_count for job in ended} == {1}


def test_limiter_holds_for_all_clusters_together(qcluster, valkey):
    qcluster()
    qcluster()
    for job in submit_many("test.limited", [{}] * 5):
        finished(job)
    starts = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert all(third - first >= 3 for first, third in zip(starts, starts[2:], strict=False))


def test_owner_at_owner_concurrency_lets_others_run(qcluster, valkey):
    alice = [submit("test.sleep", {"seconds": 0.3}, owner="alice").job for _ in range(4)]
    bob = submit("test.sleep", {"seconds": 0.3}, owner="bob").job
    qcluster(QUEUE_TEST_OWNER_CONCURRENCY="1", QUEUE_TEST_CONCURRENCY="2")
    assert finished(bob).state == State.COMPLETED
    for job in alice:
        assert finished(job).state == State.COMPLETED
    starts = [x.split(":")[0] for x in valkey.client.lrange("note:sleep:started", 0, -1)]
    assert starts.index(bob.id.hex) <= 1


def test_many_jobs_of_one_owner_do_not_delay_another(qcluster, valkey):
    flood = submit_many("test.sleep", [{"seconds": 0.01}] * 300, owner="alice")
    one = submit("test.sleep", {"seconds": 0.01}, owner="bob").job
    qcluster(QUEUE_TEST_CONCURRENCY="1")
    assert finished(one).state == State.COMPLETED
    starts = [x.split(":")[0] for x in valkey.client.lrange("note:sleep:started", 0, -1)]
    assert starts.index(one.id.hex) <= 2
    assert len(flood) == 300


def test_single_slot_serves_the_queue_of_higher_priority_first(qcluster, valkey):
    narrow = submit_many("test.narrow", [{}] * 3)
    wide = submit_many("test.sleep", [{"seconds": 0.01}] * 3)
    qcluster(TEST_SLOTS="1")
    for job in [*narrow, *wide]:
        finished(job)
    last_wide = max(job.started_at for job in Job.objects.filter(kind="test.sleep"))
    first_narrow = min(job.started_at for job in Job.objects.filter(kind="test.narrow"))
    assert last_wide < first_narrow


def test_worker_is_replaced_after_its_number_of_jobs(qcluster):
    cluster = qcluster(TEST_RECYCLE="5")
    before = cluster.workers()
    for job in submit_many("test.echo", [{"text": "x"}] * 30):
        assert finished(job).state == State.COMPLETED
    wait_until(lambda: cluster.workers() and cluster.workers() != before, "another worker")
    assert cluster.exit_code is None


def test_one_worker_runs_hundreds_of_jobs_at_once(qcluster, valkey):
    qcluster(QUEUE_TEST_CONCURRENCY="500")
    jobs = submit_many("test.sleep", [{"seconds": 3}] * 500)
    wait_until(lambda: valkey.client.zcard("{buddy}:q:test:active") == 500, "all to run at once")
    for job in jobs:
        assert finished(job).state == State.COMPLETED
