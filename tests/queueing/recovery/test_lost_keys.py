"""One key of Redis is lost, by an eviction or by a hand (E19): all jobs end, and limits hold again."""

import pytest

from queueing.conf import get_queue
from queueing.control import audited
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.submit import submit
from tests.queueing.record.lifecycle import begin
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: Every key that a queue with jobs in each state has.
GLOBAL = (
    "jobs",
    "claims",
    "running",
    "reconciled",
    "idle",
    "needs",
    "unable",
    "workers",
    "server",
    "checked",
)
OF_QUEUE = (
    "waiting",
    "delayed",
    "active",
    "parked",
    "owner_finish_tags",
    "owner_unfinished",
    "owner_active",
    "limiter_starts",
    "meta",
    "completed",
    "failed",
    "durations",
)
KEYS = (*GLOBAL, *(f"q:test:{name}" for name in OF_QUEUE))
COUNTERS = ("running", "q:test:owner_unfinished", "q:test:owner_active")


def contents(client) -> dict[str, object]:
    """Return where each job is, and all counters."""
    found: dict[str, object] = {name: client.hgetall(scripts.key(name)) for name in COUNTERS}
    found["claims"] = client.hgetall(scripts.key("claims"))
    found["owners"] = {
        job_id: text.split("\x1f")[0] for job_id, text in client.hgetall(scripts.key("jobs")).items()
    }
    for name in ("waiting", "delayed", "active"):
        found[name] = set(client.zrange(scripts.queue_key("test", name), 0, -1))
    return found


@pytest.fixture
def one_in_each_place(valkey) -> list[Job]:
    """Jobs of one queue that wait, run, are delayed and parked, of an owner and of none."""
    audited.set_limits("test", actor="an operator", owner_concurrency=1)
    jobs = [submit("test.noop", {}, owner="alice").job for _ in range(3)]
    jobs += [submit("test.noop", {}).job, submit("test.noop", {}, owner="bob", delay=60).job]
    for entry in redis_client.run(scripts.claim([get_queue("test")], "c1/w/1", 2)).jobs:
        begin(Job.objects.get(pk=entry.id))
    redis_client.run(scripts.claim([get_queue("test")], "c1/w/2", 1))  # parks the other jobs of alice
    jobs.append(submit("test.noop", {}, owner="carol").job)
    counts = redis_client.run(scripts.counts("test"))
    assert (counts.active, counts.waiting, counts.delayed) == (2, 3, 1)
    assert valkey.client.zcard(scripts.queue_key("test", "parked")) == 2
    return jobs


@pytest.mark.parametrize("name", KEYS)
def test_lost_key_is_restored_by_the_next_check(
    name, one_in_each_place, valkey, no_settle_time, reconcile_once
):
    reconcile_once()
    before = contents(valkey.client)
    valkey.client.delete(scripts.key(name), scripts.key("checked"))
    reconcile_once()
    after = contents(valkey.client)
    if name in ("jobs", "q:test:parked", "q:test:meta"):  # parked jobs are in line until the next claim
        assert after.pop("waiting") > before.pop("waiting")
    assert after == before
    positions = redis_client.run(scripts.positions("test", [job.id.hex for job in one_in_each_place]))
    assert all(positions)
    assert redis_client.run(scripts.counts("test")).changed == {"owner_concurrency": 1}
    assert not reconcile_once(), "a second check changes nothing"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jobs", "claims", "running", *(f"q:test:{name}" for name in OF_QUEUE[:9])])
def test_lost_key_while_workers_run_all_jobs_end(name, qcluster, valkey):
    """The same with real workers: owners, delays and a rate limit."""
    qcluster()
    jobs = [submit("test.rest", {"seconds": 2}, owner=f"owner {n % 3}").job for n in range(60)]
    jobs += [submit("test.noop", {}, owner="alice", delay=1).job for _ in range(5)]
    wait_until(lambda: Job.objects.filter(state="active").count() > 5, "jobs to run")
    valkey.client.delete(scripts.key(name))
    jobs += [submit("test.noop", {}, owner=f"owner {n % 3}").job for n in range(10)]
    for job in jobs:
        assert finished(job).state == "completed"
    wait_until(lambda: not any(contents(valkey.client).values()), "Redis to forget them")
