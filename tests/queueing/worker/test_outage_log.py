"""A cluster that starts while Redis is down writes a few lines, and one when it is back (O12)."""

import logging
import time

import pytest

from queueing.schedule import outage_log
from queueing.schedule.outage_log import OutageLog
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

REFUSED = ConnectionError("refused")


def test_outage_is_logged_once_a_minute_and_at_its_end(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    log, now = OutageLog(), 1000.0
    monkeypatch.setattr(outage_log.time, "monotonic", lambda: now)
    for _ in range(125):
        log.failed(REFUSED)
        now += 1
    log.worked()
    log.worked()
    assert [record.message for record in caplog.records] == [
        "Redis is unavailable (refused); trying again until it answers",
        "Redis is unavailable for 60 s (refused); trying again until it answers",
        "Redis is unavailable for 120 s (refused); trying again until it answers",
        "Redis is available again, after 125.0 s",
    ]


def test_short_outages_in_a_row_are_logged_once_a_minute(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    log, now = OutageLog(), 1000.0
    monkeypatch.setattr(outage_log.time, "monotonic", lambda: now)
    for _ in range(50):
        log.failed(REFUSED)
        now += 1
        log.worked()
    assert len(caplog.records) == 2


@pytest.mark.django_db(transaction=True)
def test_cluster_that_starts_without_redis_is_quiet_and_then_works(qcluster, valkey):
    valkey.stop()
    cluster, began = qcluster(), time.monotonic()
    wait_until(lambda: "Redis is unavailable" in cluster.log.read_text(), "the line")
    # Every part has failed several times by now: claims each second, the others every heartbeat.
    wait_until(lambda: time.monotonic() - began > 3, "three seconds")
    lines = [
        line for line in cluster.log.read_text().splitlines() if " WARNING " in line or " ERROR " in line
    ]
    assert len(lines) <= 4, lines
    valkey.start()
    finished(submit("test.noop", {}).job)
    wait_until(lambda: "Redis is available again" in cluster.log.read_text(), "the end")
