"""From the process that saw it to the queue."""

import json
import os
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError

from chat.analytics import batches, tracker
from chat.analytics.tracker import track
from queueing.api import Job, State
from tests.support.cluster import environment

from .tracking import ON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_many_events_travel_as_few_jobs_within_the_payloads_limit(counting):
    for n in range(450):
        track("x:wide", owner=f"s:{n}", **{f"property{p}": "é" * 60 for p in range(10)})
    counting.flush()
    jobs = Job.objects.filter(kind="analytics.write")
    assert all(job.queue == "analytics" and job.priority == 1 for job in jobs)
    assert sum(len(job.args["events"]) for job in jobs) == 450
    assert 10 < len(jobs) < 20
    assert not counting._held


def test_no_owner_leaves_the_process(counting):
    track("message.sent", owner="s:0123456789abcdef", companion="travel")
    counting.flush()
    (job,) = Job.objects.all()
    assert "0123456789abcdef" not in json.dumps(job.args)
    assert len(job.args["events"][0][3]) == 24


def test_what_our_own_code_tracks_wrongly_is_thrown_away_alone(counting, caplog):
    track("message.sent", text="what somebody wrote, and at some length: " * 3)
    track("no.such.name")
    track("message.sent")
    counting.flush()
    (job,) = Job.objects.all()
    assert [event[1] for event in job.args["events"]] == ["message.sent"]
    assert "not kept" in caplog.text
    assert "what somebody wrote" not in caplog.text


def test_with_the_database_away_events_are_held_up_to_a_bound_and_the_rest_is_counted(counting, monkeypatch):
    monkeypatch.setattr(tracker, "MOST", 300)
    submit = batches.submit

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(batches, "submit", away)
    for _ in range(400):
        track("page.opened")
    counting.flush()
    assert (len(counting._held), counting.dropped) == (300, 100)

    monkeypatch.setattr(batches, "submit", submit)
    counting.flush()
    assert [len(job.args["events"]) for job in Job.objects.order_by("id")] == [200, 100]


def test_with_redis_away_nothing_is_lost(counting, valkey):
    valkey.stop()
    try:
        track("page.opened")
        counting.flush()
    finally:
        valkey.start()
    assert Job.objects.get().state == State.WAITING


def test_a_fork_waits_until_a_delivery_is_over(counting, monkeypatch):
    order, delivering, forked = [], Event(), Event()

    def deliver(_: Any) -> None:
        delivering.set()
        forked.wait(0.5)
        order.append("delivered")

    monkeypatch.setattr(batches, "deliver", deliver)
    track("page.opened")
    thread = Thread(target=counting.flush)
    thread.start()
    delivering.wait()
    child = os.fork()
    if not child:
        os._exit(0)
    order.append("forked")
    forked.set()
    thread.join()
    os.waitpid(child, 0)
    assert order == ["delivered", "forked"]


def test_a_process_that_ends_hands_over_what_it_holds(db):
    import subprocess
    import sys

    code = (
        "import django; django.setup()\n"
        "from multiprocessing import get_context\n"
        "from chat.analytics.tracker import track\n"
        "track('page.opened', owner='s:parent')\n"
        "child = get_context('fork').Process(target=track, args=('prompt.used',))\n"
        "child.start(); child.join()\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(**ON), check=True, timeout=60)
    names = [event[1] for job in Job.objects.all() for event in job.args["events"]]
    assert sorted(names) == ["page.opened", "prompt.used"]
