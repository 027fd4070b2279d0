"""The messages of actions that are refused or have nothing to do."""

import pytest
from django.db import OperationalError

from queueing.control import verbs
from queueing.models import AuditEntry
from queueing.submit import submit
from queueing.terminal import actions
from tests.support.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


def run(view, key, row) -> str:
    """Press a key on a row, confirm, and return the message."""
    action = actions.for_key(view, key, row, "terminal:ada")
    assert action is not None
    return action.run()


def test_cancel_of_finished_job_is_refused_without_audit_entry(valkey):
    job = submit("test.noop", {}).job
    verbs.cancel(job.id)
    said = run("jobs", "X", {"id": job.id.hex, "kind": job.kind, "queue": job.queue})
    assert said == "Not done: cannot cancel a job that is cancelled"
    assert not AuditEntry.objects.exists()


def test_retry_newest_without_failures_says_so(valkey):
    assert run("queues", "t", {"name": "test"}) == "Not done: test has no failed jobs"


def test_database_error_is_shown(valkey, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(verbs, "pause", fail)
    said = run("queues", "p", {"name": "test"})
    assert said == "Not done: the database is unavailable (OperationalError)"


def test_pause_without_redis_is_stored(valkey: Valkey):
    valkey.stop()
    try:
        assert run("queues", "p", {"name": "test"}) == "test is paused. Active jobs finish."
    finally:
        valkey.start()
    assert AuditEntry.objects.get().actor == "terminal:ada"
