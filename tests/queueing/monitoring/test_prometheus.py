"""The metrics agree with the work of real workers, and name no owner."""

import pytest
from asgiref.sync import async_to_sync
from prometheus_client.parser import text_string_to_metric_families

from queueing.control import verbs
from queueing.monitoring import prometheus
from queueing.monitoring.cumulative import CumulativeSums
from queueing.monitoring.health import queue_health
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
    submit("test.noop", {}, delay=600)
    over = _ended("completed"), _ended("failed")
    told = wait_until(lambda: (s := scrape()) and sum(s[how] for how in over) == 12 and s, "the tally")

    assert [told[how] for how in over] == [11, 1]
    attempts = {r: told["buddy_job_attempts_total", "test", r] for r in ("completed", "failed", "retried")}
    assert attempts == {"completed": 11, "failed": 1, "retried": 1}
    assert told["buddy_job_run_seconds_count", "test"] == 12
    assert told["buddy_job_run_seconds_bucket", "0.064", "test"] <= 2
    assert told["buddy_job_run_seconds_bucket", "+Inf", "test"] == 12
    assert 1.0 <= told["buddy_job_run_seconds_sum", "test"] < 10
    assert told["buddy_jobs", "test-narrow", "waiting"] == 3
    assert told["buddy_jobs", "test", "delayed"] == 1
    assert told["buddy_queue_paused", "test-narrow"] == 1
    assert told["buddy_warning", "paused", "warning", "test-narrow"] == 1
    assert told["buddy_workers",] == told["buddy_redis_up",] == 1
    assert not any("somebody" in str(key) for key in told)
    cluster.stop()


def _ended(how):
    return "buddy_jobs_finished_total", how, "test"


def test_metrics_without_redis_omit_unknown_values():
    told = scrape()
    assert told["buddy_redis_up",] == 0
    assert told["buddy_warning", "redis", "critical", ""] == 1
    assert not any(key[0] == "buddy_jobs" for key in told)
    assert told[_ended("completed")] == 0
