"""Each TIME_ZONE gives the same times, on both databases, also when processes differ in it (E10)."""

import pytest
from django.db import connection
from django.utils import timezone

from queueing.checks import check_queueing
from queueing.states import State
from queueing.submit import submit
from tests.queueing.record.lifecycle import begin, new_job

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)

ZONES = ["UTC", "Asia/Tokyo", "America/Chicago"]


def assert_times_are_right_in(zone, qcluster):
    before = timezone.now()
    qcluster(TEST_TIME_ZONE=zone)
    job = finished(submit("test.flaky", {"fail": 1, "how": "retry"}).job)
    assert (job.state, job.result) == (State.COMPLETED, {"attempt": 2, "tries": 2})
    failed = job.failed_attempts.get()
    times = [before, job.created_at, failed.started_at, failed.ended_at, job.started_at, job.finished_at]
    assert times == sorted(times)
    assert job.finished_at <= timezone.now()


@pytest.mark.parametrize("zone", ZONES)
def test_time_zone_of_workers_does_not_change_times(qcluster, zone):
    assert_times_are_right_in(zone, qcluster)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_time_zone_of_workers_on_postgresql_does_not_change_times(postgres, qcluster, zone):
    assert connection.vendor == "postgresql"
    assert_times_are_right_in(zone, qcluster)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("database_zone", [None, "Asia/Tokyo"])
def test_time_zone_does_not_change_times_of_a_run(settings, valkey, zone, database_zone):
    settings.TIME_ZONE = zone
    if connection.vendor == "sqlite":
        connection.settings_dict["TIME_ZONE"] = database_zone
        for name in ("timezone", "timezone_name"):
            connection.__dict__.pop(name, None)
    try:
        job = new_job()
        assert begin(job).created_at == job.created_at
    finally:
        connection.settings_dict["TIME_ZONE"] = None
        for name in ("timezone", "timezone_name"):
            connection.__dict__.pop(name, None)


def test_naive_times_are_refused_by_check_with_a_way_out(settings):
    settings.USE_TZ = False
    [error] = [found for found in check_queueing() if found.id == "queueing.E004"]
    assert "USE_TZ = True" in error.hint


def test_cluster_with_naive_times_does_not_start(qcluster):
    cluster = qcluster(TEST_USE_TZ="0")
    cluster.process.join(60)
    assert cluster.exit_code == 1
    assert "queueing.E004" in cluster.log.read_text()
