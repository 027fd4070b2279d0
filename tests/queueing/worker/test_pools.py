"""Pools of workers: clusters that serve some of the queues, and quiet ones."""

import json
import os
import signal

import pytest
from asgiref.sync import async_to_sync

from queueing.control import audited
from queueing.errors import BadValue
from queueing.models import AuditEntry, Job
from queueing.monitoring import health
from queueing.schedule import presence, redis_client
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def workers(valkey) -> list[dict]:
    """Return the heartbeats."""
    return [json.loads(text) for text in valkey.client.hvals("{buddy}:workers")]


def cluster_of(job: Job) -> str:
    job.refresh_from_db()
    return job.token.partition("/")[0]


def problems() -> set[tuple[str, str]]:
    """Return the codes and queues of the warnings of health."""
    return {(found["code"], found["queue"]) for found in async_to_sync(health.queue_health)()["warnings"]}


def test_clusters_run_only_the_jobs_of_their_queues(qcluster, valkey):
    narrow, rest = qcluster("--queues", "test-narrow"), qcluster("--exclude", "test-narrow")
    wait_until(lambda: len(workers(valkey)) == 2, "two workers")
    jobs = submit_many("test.narrow", [{"seconds": 0}] * 20) + submit_many("test.noop", [{}] * 50)
    for job in jobs:
        assert finished(job).state == State.COMPLETED
    by_kind = {
        kind: {cluster_of(job) for job in jobs if job.kind == kind} for kind in ("test.narrow", "test.noop")
    }
    assert all(len(clusters) == 1 for clusters in by_kind.values())
    assert by_kind["test.narrow"].pop() in narrow.log.read_text()
    assert by_kind["test.noop"].pop() in rest.log.read_text()
    assert sorted(worker["slots"] for worker in workers(valkey))[0] == 2


def test_jobs_of_a_queue_without_workers_wait_and_health_says_so(qcluster, valkey):
    qcluster("--queues", "test", QUEUE_TEST_NARROW_CONCURRENCY="0")
    wait_until(lambda: workers(valkey), "a worker")
    waiting = submit("test.narrow", {"seconds": 0}).job
    assert finished(submit("test.noop", {}).job).state == State.COMPLETED
    assert problems() == {("unserved", "test-narrow")}
    assert presence.clusters_alive("test") == 1
    assert presence.clusters_alive("test-narrow") == 0
    qcluster(QUEUE_TEST_CONCURRENCY="0")
    assert finished(waiting).state == State.COMPLETED
    wait_until(lambda: not problems(), "no problem")


def quiet(valkey) -> set[bool]:
    return {worker["quiet"] for worker in workers(valkey)}


def test_quiet_cluster_finishes_its_jobs_and_starts_none_until_it_is_resumed(qcluster, valkey):
    cluster = qcluster(QUEUE_WORKERS="2")
    wait_until(lambda: len(workers(valkey)) == 2, "two workers")
    running = submit("test.sleep", {"seconds": 0.5}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the job to start")
    cluster.process.send(signal.SIGTSTP)
    wait_until(lambda: quiet(valkey) == {True}, "both workers to be quiet")
    wait_until(lambda: not valkey.client.hlen("{buddy}:idle"), "no worker that takes jobs by hand")
    waiting = submit("test.noop", {}).job
    assert finished(running).state == State.COMPLETED
    assert ("unserved", "test") in problems()
    assert ("quiet", "") in problems()
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING
    cluster.process.send(signal.SIGCONT)
    assert finished(waiting).state == State.COMPLETED
    wait_until(lambda: quiet(valkey) == {False}, "both workers to claim again")


def test_worker_that_is_replaced_in_a_quiet_cluster_is_quiet(qcluster, valkey):
    cluster = qcluster()
    wait_until(lambda: workers(valkey), "a worker")
    cluster.process.send(signal.SIGTSTP)
    wait_until(lambda: quiet(valkey) == {True}, "the worker to be quiet")
    (before,) = workers(valkey)
    (pid,) = cluster.workers()
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: [w["quiet"] for w in workers(valkey) if w["id"] != before["id"]] == [True],
        "a quiet replacement",
    )
    waiting = submit("test.noop", {}).job
    cluster.process.send(signal.SIGCONT)
    assert finished(waiting).state == State.COMPLETED


def test_operator_makes_one_worker_quiet_and_resumes_it(qcluster, valkey):
    qcluster(QUEUE_WORKERS="2")
    wait_until(lambda: len(workers(valkey)) == 2, "two workers")
    one, other = (worker["id"] for worker in workers(valkey))
    audited.quiet_worker(one, actor="dora", note="a debugger is attached")
    wait_until(lambda: [w["id"] for w in workers(valkey) if w["quiet"]] == [one], "one quiet worker")
    jobs = submit_many("test.noop", [{}] * 40)
    for job in jobs:
        assert finished(job).token.rpartition("/")[0] == other
    audited.resume_worker(one, actor="dora")
    wait_until(lambda: quiet(valkey) == {False}, "no quiet worker")
    rows = AuditEntry.objects.order_by("id").values_list("action", "queue", "subject", "note")
    assert list(rows) == [
        ("quiet_worker", "", one, "a debugger is attached"),
        ("resume_worker", "", one, ""),
    ]


def test_worker_that_does_not_run_cannot_be_made_quiet(valkey):
    with pytest.raises(BadValue, match="no worker gone/1 is running"):
        audited.quiet_worker("gone/1", actor="dora")
    assert not AuditEntry.objects.exists()
    assert redis_client.client().ping()


def test_worker_that_hears_no_notification_reads_the_wish_at_its_heartbeat(qcluster, valkey):
    """Its subscription may begin after its first heartbeat, and a message may be lost."""
    qcluster()
    wait_until(lambda: workers(valkey), "a worker")
    (worker,) = workers(valkey)
    valkey.client.set(f"{{buddy}}:quiet:{worker['id']}", 1, ex=60)
    wait_until(lambda: quiet(valkey) == {True}, "a quiet worker")
    valkey.client.set(f"{{buddy}}:quiet:{worker['id']}", 0, ex=60)
    assert finished(submit("test.noop", {}).job).state == State.COMPLETED
