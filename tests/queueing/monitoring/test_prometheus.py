"""The metrics agree with the work of real workers, and name no owner."""

from dataclasses import asdict

import pytest
from asgiref.sync import async_to_sync
from prometheus_client.parser import text_string_to_metric_families

from queueing.control import verbs
from queueing.monitoring import prometheus
from queueing.monitoring.cumulative import CumulativeSums
from queueing.monitoring.health import queue_health, warnings
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Forget the sums of the test before."""
    monkeypatch.setattr(prometheus, "_sums", CumulativeSums(prometheus._read_sums))


def scrape():
    """Return {(sample name, values of its labels by label name): value}, parsed as Prometheus does."""
    text = prometheus.metrics_text(async_to_sync(queue_health)())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_metrics_agree_with_finished_jobs(qcluster):
    cluster = qcluster()
    for job in submit_many("test.sleep", [{"seconds": 0.1}] * 10, owner="u:somebody"):
        finished(job)
    finished(submit("test.flaky", {"fail": 1}).job)
    finished(submit("test.flaky", {"fail": 9, "how": "permanent"}).job)
    verbs.pause("test-narrow")
    submit_many("test.narrow", [{}] * 3)
    verbs.cancel(submit("test.noop", {}, delay=600).job.id)
    submit("test.noop", {}, delay=600)
    finished(submit("test.echo", {"text": "some words"}).job)
    over = _ended("completed"), _ended("failed")
    told = wait_until(lambda: (s := scrape()) and sum(s[how] for how in over) == 13 and s, "the tally")

    assert [told[how] for how in over] == [12, 1]
    assert told[_ended("cancelled")] == 1
    attempts = {r: told["buddy_job_attempts_total", "test", r] for r in ("completed", "failed", "retried")}
    assert attempts == {"completed": 12, "failed": 1, "retried": 1}
    assert told["buddy_job_first_token_seconds_count", "test"] == 1  # of those, one streamed a text
    assert told["buddy_job_run_seconds_count", "test"] == 13
    assert told["buddy_job_run_seconds_bucket", "0.064", "test"] <= 3
    assert told["buddy_job_run_seconds_bucket", "+Inf", "test"] == 13
    assert 1.0 <= told["buddy_job_run_seconds_sum", "test"] < 10
    assert told["buddy_jobs", "test-narrow", "waiting"] == 3
    assert told["buddy_jobs", "test", "delayed"] == 1
    assert told["buddy_queue_paused", "test-narrow"] == 1
    assert told["buddy_warning", "paused", "warning", "test-narrow"] == 1
    assert told["buddy_workers",] == told["buddy_clusters",] == told["buddy_redis_up",] == 1
    assert told["buddy_clusters_lost",] == 0
    assert not any("somebody" in str(key) for key in told)
    cluster.stop()


def _ended(how):
    return "buddy_jobs_finished_total", how, "test"


def test_two_warnings_of_one_kind_are_one_sample(valkey):
    """Prometheus refuses a page on which a sample stands twice."""
    late = {"id": "c/w", "cluster": "c", "age": 99.0, "running": 0, "slots": 1}
    seen = async_to_sync(queue_health)()
    seen["workers"] = [late, late | {"id": "c/w2"}]
    seen["warnings"] = [asdict(warning) for warning in warnings(seen)]
    lines = prometheus.metrics_text(seen).decode().splitlines()
    assert len([warning for warning in seen["warnings"] if warning["code"] == "heartbeat"]) == 2
    assert len([line for line in lines if 'code="heartbeat"' in line]) == 1


def test_metrics_without_redis_omit_unknown_values():
    told = scrape()
    assert told["buddy_redis_up",] == 0
    assert told["buddy_warning", "redis", "critical", ""] == 1
    assert not any(key[0] == "buddy_jobs" for key in told)
    assert told[_ended("completed")] == 0
