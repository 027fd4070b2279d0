"""What the screen's keys say when there is nothing to do, or it cannot be done."""

import pytest
from django.db import OperationalError

from queueing.control import audited, verbs
from queueing.models import AuditEntry
from queueing.submit import submit
from queueing.terminal import actions
from tests.support.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_that_ended_meanwhile_is_not_cancelled_and_nothing_is_on_record(valkey):
    job = submit("test.noop", {}).job
    verbs.cancel(job.id)
    said = actions.cancel({"id": job.id.hex, "kind": job.kind}, "terminal:ada").run()
    assert said == "Not done: cannot cancel a job that is cancelled"
    assert not AuditEntry.objects.exists()


def test_where_nothing_has_failed_nothing_is_run_again(valkey):
    assert actions.retry_newest("test", "terminal:ada").run() == "Nothing of test has failed."


def test_a_database_that_is_away_is_said(valkey, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(audited, "pause", away)
    said = actions.pause("test", "terminal:ada").run()
    assert said == "Not done: the database is away (OperationalError)."


def test_a_queue_is_paused_on_record_while_redis_is_away(valkey: Valkey):
    valkey.stop()
    try:
        assert actions.pause("test", "terminal:ada").run() == "test is paused; what runs finishes."
    finally:
        valkey.start()
    assert AuditEntry.objects.get().actor == "terminal:ada"
