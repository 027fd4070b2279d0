"""An outage of a provider is shown wherever operators look (K3)."""

from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command

from queueing.monitoring import prometheus
from queueing.monitoring.health import queue_health
from queueing.schedule import redis_client, scripts
from queueing.submit import submit_many

pytestmark = pytest.mark.django_db(transaction=True)

QUEUES = ["test-provider", "test-provider-too"]


@pytest.fixture(autouse=True)
def outage(valkey, settings):
    settings.QUEUEING = settings.QUEUEING | {"FIRST_PROBE": 50.0}
    submit_many("test.call", [{}] * 2)
    submit_many("test.call-too", [{}] * 3)
    ends = [scripts.ProviderEnd(job_id, "outage") for job_id in ("a", "b")]
    redis_client.run(scripts.report("test", QUEUES, ends))


def test_outage_is_one_critical_warning():
    health = async_to_sync(queue_health)()
    assert health["health"] == "critical"
    [text] = [warning["text"] for warning in health["warnings"] if warning["code"] == "outage"]
    assert text.startswith("The provider of test-provider, test-provider-too does not answer (5 waiting).")
    assert [queue["name"] for queue in health["queues"] if queue["outage"]] == QUEUES


def test_outage_is_a_metric():
    text = prometheus.metrics_text(async_to_sync(queue_health)()).decode()
    assert 'buddy_upstream_outage{queue="test-provider"} 1.0' in text
    assert 'buddy_upstream_outage{queue="test"} 0.0' in text


def test_outage_is_in_the_commands():
    out = StringIO()
    call_command("queue_status", "test-provider", stdout=out)
    assert "\tprovider_down\t" in out.getvalue()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("queue_monitor", "--once", stdout=out)
    assert ended.value.code == 2
    assert "provider down" in out.getvalue()


def test_outage_is_on_the_dashboard(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    assert "Provider does not answer, next try in" in client.get("/admin/queue").content.decode()
