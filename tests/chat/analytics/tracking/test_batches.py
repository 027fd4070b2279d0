"""Submitting tracked events as jobs."""

import json
import os
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError

from chat.analytics.tracking import batches, tracker
from chat.analytics.tracking.tracker import track
from queueing.api import Job, State
from tests.chat.analytics.event_rows import ANALYTICS_ON
from tests.support.cluster import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_flush_of_many_events_submits_few_jobs_within_the_payload_limit(manual_tracker):
    for n in range(450):
        track("x:wide", owner=f"s:{n}", **{f"property{p}": "é" * 60 for p in range(10)})
    manual_tracker.flush()
    jobs = Job.objects.filter(kind="analytics.write")
    assert all(job.queue == "analytics" and job.priority == 1 for job in jobs)
    assert sum(len(job.args["events"]) for job in jobs) == 450
    assert 10 < len(jobs) < 20
    assert not manual_tracker._buffer


def test_submitted_events_contain_no_owner(manual_tracker):
    track("message.sent", owner="s:0123456789abcdef", companion="travel")
    manual_tracker.flush()
    (job,) = Job.objects.all()
    assert "0123456789abcdef" not in json.dumps(job.args)
    assert len(job.args["events"][0][3]) == 24


def test_invalid_event_of_the_server_is_dropped_alone(manual_tracker, caplog):
    track("message.sent", text="what a visitor wrote, and at some length: " * 3)
    track("no.such.name")
    track("message.sent")
    manual_tracker.flush()
    (job,) = Job.objects.all()
    assert [event[1] for event in job.args["events"]] == ["message.sent"]
    assert "invalid event was dropped" in caplog.text
    assert "what a visitor wrote" not in caplog.text


def test_database_unavailable_buffers_events_up_to_the_maximum_and_counts_the_rest(
    manual_tracker, monkeypatch
):
    monkeypatch.setattr(tracker, "MAX_BUFFERED", 300)
    submit = batches.submit

    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(batches, "submit", fail)
    for _ in range(400):
        track("page.opened")
    manual_tracker.flush()
    assert (len(manual_tracker._buffer), manual_tracker.dropped) == (300, 100)

    monkeypatch.setattr(batches, "submit", submit)
    manual_tracker.flush()
    assert [len(job.args["events"]) for job in Job.objects.order_by("id")] == [200, 100]


def test_redis_unavailable_loses_no_event(manual_tracker, valkey):
    valkey.stop()
    try:
        track("page.opened")
        manual_tracker.flush()
    finally:
        valkey.start()
    assert Job.objects.get().state == State.WAITING


def test_fork_during_submission_waits_for_it(manual_tracker, monkeypatch):
    order, submitting, forked = [], Event(), Event()

    def submit_events(_: Any) -> None:
        submitting.set()
        forked.wait(0.5)
        order.append("submitted")

    monkeypatch.setattr(batches, "submit_events", submit_events)
    track("page.opened")
    thread = Thread(target=manual_tracker.flush)
    thread.start()
    submitting.wait()
    child = os.fork()
    if not child:
        os._exit(0)
    order.append("forked")
    forked.set()
    thread.join()
    os.waitpid(child, 0)
    assert order == ["submitted", "forked"]


def test_process_exit_submits_the_buffer(db):
    import subprocess
    import sys

    code = (
        "import django; django.setup()\n"
        "from multiprocessing import get_context\n"
        "from chat.analytics.tracking.tracker import track\n"
        "track('page.opened', owner='s:parent')\n"
        "child = get_context('fork').Process(target=track, args=('prompt.used',))\n"
        "child.start(); child.join()\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(**ANALYTICS_ON), check=True, timeout=60)
    names = [event[1] for job in Job.objects.all() for event in job.args["events"]]
    assert sorted(names) == ["page.opened", "prompt.used"]
