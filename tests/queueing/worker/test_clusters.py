"""Limits and orders that hold over processes: two clusters, owners, priorities, recycling."""

import pytest

from queueing.conf import get_queue
from queueing.models import Job
from queueing.record import attempts
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.record.moves import end
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def most_at_once(valkey, name="narrow"):
    """How many ran at the same time at most, by the notes the jobs left."""
    notes = [(x.split(":")[1], +1) for x in valkey.client.lrange(f"note:{name}:started", 0, -1)]
    notes += [(x.split(":")[1], -1) for x in valkey.client.lrange(f"note:{name}:ended", 0, -1)]
    running = most = 0
    for _, change in sorted((float(at), change) for at, change in notes):
        running += change
        most = max(most, running)
    return most


def run_narrow(qcluster, valkey, **env):
    qcluster(**env)
    qcluster(**env)
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 2, "two workers")
    for job in submit_many("test.narrow", [{"seconds": 0.2}] * 16):
        assert finished(job).state == State.COMPLETED
    return most_at_once(valkey)


def test_each_cluster_adds_its_concurrency(qcluster, valkey):
    assert run_narrow(qcluster, valkey) in (3, 4)


def test_global_concurrency_caps_all_clusters_together(qcluster, valkey):
    assert run_narrow(qcluster, valkey, QUEUE_TEST_NARROW_GLOBAL_CONCURRENCY="1") == 1


def test_room_that_a_stopping_cluster_makes_is_used_by_another_at_once(qcluster, valkey):
    only = {"QUEUE_TEST_GLOBAL_CONCURRENCY": "1"}
    clusters = [qcluster(**only), qcluster(**only)]
    wait_until(lambda: valkey.client.hlen("{buddy}:idle") == 2, "two workers with nothing to do")
    running = submit("test.sleep", {"seconds": 1}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the job to start")
    waiting = submit("test.noop", {}).job
    running.refresh_from_db()
    cluster = running.token.partition("/")[0]
    next(one for one in clusters if cluster in one.log.read_text()).process.terminate()
    assert finished(waiting).state == State.COMPLETED
    running.refresh_from_db()
    assert running.state == State.COMPLETED


def test_room_is_used_that_is_found_when_leases_of_recorded_ends_run_out(qcluster, valkey):
    """As when Redis was away while a worker told it what had ended."""
    ended = submit_many("test.narrow", [{}] * 2)
    claims = redis_client.run(scripts.claim([get_queue("test-narrow")], "c1/w/1", 2)).jobs
    for run in attempts.begin(claims, "c1/w/1"):
        end(run)
    waiting = submit("test.narrow", {}).job
    qcluster(QUEUE_TEST_NARROW_GLOBAL_CONCURRENCY="2")
    assert finished(waiting).state == State.COMPLETED
    assert {finished(job).run_count for job in ended} == {1}


def test_one_limiter_holds_for_all_clusters(qcluster, valkey):
    qcluster()
    qcluster()
    for job in submit_many("test.limited", [{}] * 5):
        finished(job)
    starts = sorted(float(x) for x in valkey.client.lrange("note:limited:started", 0, -1))
    assert all(third - first >= 3 for first, third in zip(starts, starts[2:], strict=False))


def test_an_owner_at_the_cap_steps_aside_for_others(qcluster, valkey):
    alice = [submit("test.sleep", {"seconds": 0.3}, owner="alice").job for _ in range(4)]
    bob = submit("test.sleep", {"seconds": 0.3}, owner="bob").job
    qcluster(QUEUE_TEST_OWNER_CONCURRENCY="1", QUEUE_TEST_CONCURRENCY="2")
    assert finished(bob).state == State.COMPLETED
    for job in alice:
        assert finished(job).state == State.COMPLETED
    starts = [x.split(":")[0] for x in valkey.client.lrange("note:sleep:started", 0, -1)]
    assert starts.index(bob.id.hex) <= 1


def test_a_flood_of_one_owner_does_not_hold_up_the_next(qcluster, valkey):
    flood = submit_many("test.sleep", [{"seconds": 0.01}] * 300, owner="alice")
    one = submit("test.sleep", {"seconds": 0.01}, owner="bob").job
    qcluster(QUEUE_TEST_CONCURRENCY="1")
    assert finished(one).state == State.COMPLETED
    starts = [x.split(":")[0] for x in valkey.client.lrange("note:sleep:started", 0, -1)]
    assert starts.index(one.id.hex) <= 2
    assert len(flood) == 300


def test_with_one_slot_the_queue_of_better_priority_goes_first(qcluster, valkey):
    narrow = submit_many("test.narrow", [{}] * 3)
    wide = submit_many("test.sleep", [{"seconds": 0.01}] * 3)
    qcluster(TEST_SLOTS="1")
    for job in [*narrow, *wide]:
        finished(job)
    last_wide = max(job.started_at for job in Job.objects.filter(kind="test.sleep"))
    first_narrow = min(job.started_at for job in Job.objects.filter(kind="test.narrow"))
    assert last_wide < first_narrow


def test_a_worker_is_recycled_after_so_many_jobs(qcluster):
    cluster = qcluster(TEST_RECYCLE="5")
    before = cluster.workers()
    for job in submit_many("test.echo", [{"text": "x"}] * 30):
        assert finished(job).state == State.COMPLETED
    wait_until(lambda: cluster.workers() and cluster.workers() != before, "another worker")
    assert cluster.exit_code is None


def test_hundreds_of_jobs_are_in_flight_in_one_process(qcluster, valkey):
    qcluster(QUEUE_TEST_CONCURRENCY="500")
    jobs = submit_many("test.sleep", [{"seconds": 3}] * 500)
    wait_until(lambda: valkey.client.zcard("{buddy}:q:test:active") == 500, "all to run at once")
    for job in jobs:
        assert finished(job).state == State.COMPLETED
