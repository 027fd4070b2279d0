"""/healthz and /readyz: the answers for load balancers."""

from threading import Event

import pytest
from django.test import AsyncClient

from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True)]


async def test_healthz_without_services_is_200():
    response = await AsyncClient().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True})


async def test_readyz_without_worker_names_the_command(valkey):
    response = await AsyncClient().get("/readyz")
    body = response.json()
    assert (response.status_code, body["ready"]) == (503, False)
    assert (body["checks"]["database"], body["checks"]["redis"]) == ("ok", "ok")
    assert "qcluster" in body["checks"]["workers"]
    assert body["checks"]["model"] == "scripted"


async def test_readyz_without_redis_names_redis_and_no_address():
    response = await AsyncClient().get("/readyz")
    checks = response.json()["checks"]
    assert response.status_code == 503
    assert checks["database"] == "ok"
    assert checks["redis"] == "unavailable (ConnectionError)"
    assert "127.0.0.1" not in response.content.decode()


async def test_readyz_without_migrations_names_the_command(valkey, monkeypatch):
    monkeypatch.setattr("buddy.health._migrated", False)
    monkeypatch.setattr("buddy.health.MigrationExecutor.migration_plan", lambda *_: ["one"])
    response = await AsyncClient().get("/readyz")
    assert response.json()["checks"]["database"] == "migrations are missing: run manage.py migrate"


async def test_readyz_hanging_database_times_out(valkey, monkeypatch):
    monkeypatch.setattr("buddy.health.TIMEOUT", 0.1)
    answered = Event()
    monkeypatch.setattr("buddy.health._database", lambda: answered.wait(30))
    response = await AsyncClient().get("/readyz")
    answered.set()
    assert response.json()["checks"]["database"] == "no answer within 0.1 s"


def test_readyz_with_running_cluster_is_200(qcluster, client):
    qcluster()
    response = wait_until(lambda: (r := client.get("/readyz")).status_code == 200 and r, "readiness")
    assert response.json()["ready"] is True
    assert response.json()["checks"]["workers"] == 1


def test_readyz_without_notifications_for_workers_is_503(qcluster, client, proxy, valkey):
    """K2: it tells the truth about the paths of events and of notifications, not only about commands."""
    qcluster()
    wait_until(lambda: client.get("/readyz").status_code == 200, "readiness")
    valkey.client.execute_command("ACL", "SETUSER", "default", "resetchannels")
    valkey.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    response = wait_until(lambda: (r := client.get("/readyz")).status_code == 503 and r, "the truth")
    assert response.json()["checks"]["redis"] == "ok"
    assert response.json()["checks"]["events"] != "ok"
    valkey.client.execute_command("ACL", "SETUSER", "default", "allchannels")
    wait_until(lambda: client.get("/readyz").status_code == 200, "readiness again")
