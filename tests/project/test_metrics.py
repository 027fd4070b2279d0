"""`/metrics`: who may read it, that it is documented, and what the model cost."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from prometheus_client.parser import text_string_to_metric_families

from chat.usage import ledger
from chat.usage import metrics as usage_metrics
from queueing.api.monitoring import CumulativeSums
from queueing.schedule import redis_client
from queueing.schedule.presence import heartbeat
from tests.support.cluster import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "scrape-me-if-you-can"


@pytest.fixture(autouse=True)
def fresh(settings, monkeypatch):
    """Set a token, and forget the sums of the test before."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(usage_metrics, "_all_time", CumulativeSums(usage_metrics._totals))


def scrape(client):
    """Return {(sample name, values of its labels by label name): value}, parsed as Prometheus does."""
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return {name: (type, labels)} of the table in docs/metrics.md."""
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\w+) \|([^|]*)\|", text)
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_table_of_the_docs_has_exactly_what_is_told(client, valkey):
    """Names, types and labels. A label is compared where there is a sample."""
    worker = {"id": "c/w", "cluster": "c", "running": 0, "slots": 1}
    redis_client.run(heartbeat("c/w", worker))
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    families = list(text_string_to_metric_families(response.content.decode()))
    told = {f"{f.name}_total" if f.type == "counter" else f.name: f for f in families}
    assert {name: f.type for name, f in told.items()} == {n: kind for n, (kind, _) in documented().items()}
    for name, family in told.items():
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(documented()[name][1]), name


def test_names_follow_the_conventions_of_prometheus():
    """Base units, a unit at the end, `_total` for counters and for nothing else."""
    for name, (kind, _) in documented().items():
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|count|sum|bucket)(_|$)", name), name
        assert kind != "histogram" or name.endswith("_seconds"), name


def test_tokens_and_money_are_counted_by_model(client, valkey, settings):
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


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_request_without_token_or_staff_session_is_refused_with_advice(client, valkey, sent):
    response = client.get("/metrics", headers=sent)
    assert response.status_code == 403
    assert b"METRICS_TOKEN" in response.content


def test_empty_token_without_a_token_in_the_settings_is_refused(client, valkey, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_metrics_are_open_to_staff_and_not_to_users(client, valkey):
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/metrics").status_code == 403
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get("/metrics").status_code == 200
