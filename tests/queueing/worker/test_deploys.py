"""K1: processes of two releases at the same time. No worker fails a job that it cannot do."""

import asyncio

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.events.waits.standing import standing_of
from queueing.models import FailedAttempt, Job
from queueing.monitoring.health import queue_health
from queueing.recovery.stalled import record_stalls
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.management.test_commands import output_of
from tests.queueing.monitoring.test_prometheus import scrape
from tests.queueing.testapp.releases import web_of
from tests.support.valkey import Valkey, wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)

#: What the new release submits and the old one cannot do: kind, arguments, reason.
NEW_JOBS = [
    ("release.added", {"n": 1}, "unknown_kind"),
    ("release.raised", {}, "newer_version"),
    ("release.gains", {"a": 1, "b": 2}, "other_arguments"),
    ("release.loses", {"a": 1}, "other_arguments"),
    ("release.renamed", {}, "unknown_kind"),
]


def submit_new_jobs() -> list[Job]:
    with web_of("new"):
        return [submit(kind, args, owner="alice").job for kind, args, _ in NEW_JOBS]


def wait_until_parked(valkey: Valkey, jobs: list[Job]) -> None:
    """Wait until workers have given all of the jobs back."""
    unable = scripts.key("unable")
    wait_until(lambda: valkey.client.hlen(unable) == len(jobs), "the jobs to be parked")


def read(coroutine_function, *args):
    """Run a coroutine function that reads the schedule."""

    async def run():
        try:
            return await coroutine_function(*args)
        finally:
            await redis_client.aclose()

    return asyncio.run(run())


def warnings() -> list[str]:
    """Return the health warnings about jobs that no running worker can do."""
    return [w["text"] for w in read(queue_health)["warnings"] if w["code"] == "unable"]


def test_new_jobs_wait_beside_old_workers_and_run_on_the_first_new_one(qcluster, valkey):
    qcluster(TEST_RELEASE="old")
    jobs = submit_new_jobs()
    wait_until_parked(valkey, jobs)
    for job in jobs:
        job.refresh_from_db()
    assert {(job.state, job.attempts, job.run_count) for job in jobs} == {(State.WAITING, 0, 1)}
    codes = FailedAttempt.objects.order_by("job_id").values_list("outcome", "code")
    assert list(codes) == [("unable", reason) for *_, reason in NEW_JOBS]
    assert len(warnings()) == len(jobs)
    assert "1 job waits for a worker that can do 'release.added' (n): 0 of the running workers can." in str(
        warnings()
    )
    assert "'release.raised', version 2 (no arguments)" in str(warnings())
    told = scrape()
    assert told["buddy_jobs_unable", "release.added", "test"] == 1
    assert told["buddy_jobs", "test", "waiting"] == len(jobs)
    assert output_of("queue_status", "test").split()[-1] == str(len(jobs))
    assert read(standing_of, jobs[0]).wait == {"low": None, "high": None, "reason": "workers"}

    qcluster(TEST_RELEASE="new")  # the old one still runs
    for job in jobs:
        assert finished(job).state == State.COMPLETED
        assert (job.result["release"], job.attempts, job.run_count) == ("new", 1, 2)
    assert jobs[1].result["version"] == 2
    wait_until(lambda: valkey.client.lrange("note:endings", 0, -1), "the end hook")
    assert not valkey.client.exists(*map(scripts.key, ("needs", "unable", "q:test:parked")))
    assert warnings() == []


def test_jobs_of_both_releases_each_run_on_a_worker_that_can_do_them(qcluster, valkey):
    qcluster(TEST_RELEASE="old")
    qcluster(TEST_RELEASE="new")
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 2, "two workers")
    with web_of("new"):
        new = submit_many("release.added", [{"n": n} for n in range(40)], owner="alice")
        new += submit_many("release.raised", [{}] * 40)
    with web_of("old"):
        old = submit_many("release.loses", [{"a": 1, "b": 2}] * 40)
        both = submit_many("release.gains", [{"a": 1}] * 40)
    ended = [finished(job) for job in (*new, *old, *both)]
    assert {(job.state, job.attempts) for job in ended} == {(State.COMPLETED, 1)}
    assert max(job.run_count for job in ended) == 2, "a job that was parked costs no more claims in vain"
    assert {job.result["release"] for job in new} == {"new"}
    assert {job.result["release"] for job in old} == {"old"}
    notes = [note.split(":")[0] for note in valkey.client.lrange("note:release.added", 0, -1)]
    assert sorted(notes) == [job.id.hex for job in new[:40]]


def test_rollback_old_jobs_run_on_new_workers_with_their_version_or_wait_for_old_ones(qcluster, valkey):
    with web_of("old"):
        raised, renamed, lost = (
            submit("release.raised", {}).job,
            submit("release.original", {}).job,
            submit("release.loses", {"a": 1, "b": 2}).job,
        )
    cluster = qcluster(TEST_RELEASE="new")
    assert finished(raised).result == {"release": "new", "version": 1}
    assert finished(renamed).result == {"release": "new", "version": 1}
    wait_until_parked(valkey, [lost])
    cluster.stop()
    qcluster(TEST_RELEASE="old")
    assert finished(lost).result == {"release": "old"}


def test_waiting_job_survives_the_loss_of_redis(qcluster, valkey):
    cluster = qcluster(TEST_RELEASE="old")
    job = submit_new_jobs()[0]
    wait_until(lambda: valkey.client.hexists(scripts.key("unable"), job.id.hex), "the job to be parked")
    valkey.client.flushall()
    wait_until(lambda: valkey.client.hexists(scripts.key("unable"), job.id.hex), "it to be parked again")
    qcluster(TEST_RELEASE="new")
    assert finished(job).state == State.COMPLETED
    assert job.attempts == 1
    assert "Traceback" not in cluster.log.read_text()


@pytest.mark.parametrize("end", [verbs.cancel, lambda _: verbs.drain_some("test"), verbs.remove])
def test_operators_end_a_job_that_no_worker_can_do(qcluster, valkey, end):
    qcluster(TEST_RELEASE="old")
    with web_of("new"):
        job = submit("release.added", {}, owner="alice").job
        wait_until_parked(valkey, [job])
        end(job.id)
    assert not Job.objects.filter(id=job.id).exclude(state=State.CANCELLED).exists()
    left = [scripts.key(name) for name in ("needs", "unable", "jobs", "q:test:parked", "q:test:waiting")]
    assert not valkey.client.exists(*left)


def test_stalled_job_is_failed_only_by_a_worker_that_can_do_it(valkey, settings):
    queue = settings.QUEUEING["QUEUES"]["test"] | {"max_stalled": 0}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": settings.QUEUEING["QUEUES"] | {"test": queue}}
    with web_of("new"):
        job = submit("release.added", {}).job
    active = {"state": State.ACTIVE, "token": "c/w/1", "attempts": 1, "started_at": job.created_at}
    Job.objects.filter(id=job.id).update(**active)
    assert record_stalls(get_queue("test"), [(job.id.hex, "c/w/1")]) == [job.id.hex]
    job.refresh_from_db()
    assert (job.state, job.stalls) == (State.WAITING, 1)
    Job.objects.filter(id=job.id).update(**active | {"token": "c/w/alone"})
    with web_of("new"):
        assert record_stalls(get_queue("test"), [(job.id.hex, "c/w/alone")]) == [job.id.hex]
    assert valkey.client.lrange("note:endings", 0, -1) == [f"{job.id.hex}:failed"]
