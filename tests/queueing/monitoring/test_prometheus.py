"""/metrics tells Prometheus what the engine did: to those who may know, and nothing of whose work it was."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from prometheus_client.parser import text_string_to_metric_families

from chat.usage import ledger
from queueing.control import verbs
from queueing.monitoring import prometheus
from queueing.monitoring.cumulative import CumulativeSums
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.cluster import ROOT
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "scrape-me-if-you-can"


@pytest.fixture(autouse=True)
def fresh(settings, monkeypatch):
    """A token, and nothing remembered of the test before."""
    from chat.usage import metrics as usage_metrics

    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(prometheus, "_ever", CumulativeSums(prometheus._tallied))
    monkeypatch.setattr(usage_metrics, "_all_time", CumulativeSums(usage_metrics._totals))


def scrape(client):
    """{(sample's name, its labels' values in order of their names): value}, parsed as Prometheus does."""
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_what_is_told_agrees_with_what_real_workers_did(qcluster, client):
    cluster = qcluster()
    for job in submit_many("test.sleep", [{"seconds": 0.1}] * 10, owner="u:somebody"):
        finished(job)
    finished(submit("test.flaky", {"fail": 1}).job)
    finished(submit("test.flaky", {"fail": 9, "how": "permanent"}).job)
    verbs.pause("test-narrow")
    submit_many("test.narrow", [{}] * 3)
    submit("test.noop", {}, delay=600)
    over = _ended("completed"), _ended("failed")
    told = wait_until(lambda: (s := scrape(client)) and sum(s[how] for how in over) == 12 and s, "the tally")

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


def test_every_metric_is_documented(client, valkey):
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    documented = (ROOT / "docs" / "metrics.md").read_text()
    families = list(text_string_to_metric_families(response.content.decode()))
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert len(names) > 10
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []


def _ended(how):
    return "buddy_jobs_finished_total", how, "test"


def test_tokens_and_money_are_told_by_model(client, valkey, settings):
    settings.OPENAI_PRICES = '{"dear": {"input": 2, "output": 4}}'
    for model in ("dear", "dear", "unpriced"):
        call = ledger.CallRecord(
            job_id="0" * 32, owner="u:alice", model=model, input_tokens=1000, output_tokens=500
        )
        ledger.record(call)
    told = scrape(client)
    assert told["buddy_tokens_total", "input", "dear"] == 2000
    assert told["buddy_tokens_total", "output", "unpriced"] == 500
    assert told["buddy_cost_total", "USD", "dear"] == pytest.approx(float(Decimal("0.008")))
    assert ("buddy_cost_total", "USD", "unpriced") not in told


def test_redis_away_is_told_and_what_is_unknown_is_absent(client, settings):
    told = scrape(client)
    assert told["buddy_redis_up",] == 0
    assert told["buddy_warning", "redis", "critical", ""] == 1
    assert not any(key[0] == "buddy_jobs" for key in told)
    assert told[_ended("completed")] == 0


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_who_has_neither_token_nor_a_staff_session_is_told_how_to(client, valkey, sent):
    response = client.get("/metrics", headers=sent)
    assert response.status_code == 403
    assert b"METRICS_TOKEN" in response.content


def test_without_a_token_in_the_settings_an_empty_one_opens_nothing(client, valkey, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_staff_may_look_and_visitors_with_an_account_may_not(client, valkey):
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/metrics").status_code == 403
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get("/metrics").status_code == 200
