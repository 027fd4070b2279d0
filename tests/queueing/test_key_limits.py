"""Limits of a kind: their keys are found when a job is submitted, and hold after Redis lost everything."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from queueing.api import Limit
from queueing.conf import get_queue
from queueing.errors import BadSubmission
from queueing.events.waits.standing import standing_of
from queueing.kinds import job
from queueing.models import Job
from queueing.options import stored_limits
from queueing.schedule import presence, redis_client, scripts
from queueing.submit import submit, submit_many
from queueing.worker.liveness.identity import Identity
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def _register(*limits: Any) -> None:
    job("limits.never", queue="test", limits=limits)(lambda ctx: None)


@pytest.mark.parametrize(
    "limits",
    [
        [5],
        [Limit("a", by="x", concurrent=1)] * 2,
        [Limit(f"a{n}", by="x", concurrent=1) for n in range(5)],
        *[[Limit(name, by="x", concurrent=1)] for name in ("", "a" * 65, "a\x1cb", None)],
        *[[Limit("a", by=key, concurrent=1)] for key in ("", "x" * 65, "x\x1dy", None, 5)],
        *[[Limit("a", by="x", concurrent=most)] for most in (0, -1, 1.0, True, "3", 10_001)],
    ],
    ids=lambda value: "",
)
def test_wrong_limit_of_a_kind_is_refused(limits):
    with pytest.raises(ValueError, match="limits: "):
        _register(*limits)


@pytest.mark.parametrize("key", ["", "x" * 65, "x\ny", 5])
def test_job_whose_key_cannot_be_used_is_refused(key):
    with pytest.raises(BadSubmission, match="limits: the key of 'site' must be a text"):
        submit("test.crawl", {"site": key or " \t"})
    assert not Job.objects.exists()


def test_limit_of_a_single_job_is_refused():
    with pytest.raises(BadSubmission, match="limits: give them to the kind"):
        submit("test.noop", {}, limits=[Limit("a", by="x", concurrent=1)])


def test_keys_are_on_record_and_a_limit_without_key_does_not_apply(valkey):
    known = submit("test.crawl", {"site": "x.org"}, owner="u:1", share="n:1").job
    (other,) = submit_many("test.crawl", [{"site": ""}])
    assert stored_limits(known.options) == [("site", "x.org", 2), ("crawler", "all", 3)]
    assert stored_limits(other.options) == [("crawler", "all", 3)]
    stored = valkey.client.hget(scripts.key("jobs"), known.id.hex).split("\x1f")[0]
    assert stored == "u:1\x1en:1\x1dsite\x1cx.org\x1c2\x1dcrawler\x1call\x1c3"


async def test_job_behind_a_full_limit_waits_for_it(valkey):
    jobs = await sync_to_async(submit_many)("test.crawl", [{"site": "x.org"}] * 3)
    for _ in range(2):
        redis_client.run(scripts.claim([get_queue("test")], "c1/w/1", 9))
    worker = Identity(cluster="c", name="w")
    beat = worker.heartbeat(active=0, slots=1, needs=(), listens=True)
    await redis_client.arun(presence.heartbeat(worker.id, beat))
    standing = await standing_of(jobs[2])
    assert standing.position == 1
    assert standing.wait["reason"] == "limit:site"


def test_limits_hold_in_real_workers(qcluster):
    qcluster()
    jobs = [submit("test.crawl", {"site": site}).job for site in ("a", "b", "a", "a", "b", "a", "b", "c")]
    results = [finished(job).result for job in jobs]
    assert max(results) <= 2
    assert len(results) == 8
    left = [scripts.queue_key("test", name) for name in ("limit_active", "limit_parked", "parked")]
    wait_until(lambda: not redis_client.client().exists(*left), "the last end to reach Redis")
