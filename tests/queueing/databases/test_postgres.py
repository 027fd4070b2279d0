"""The engine on a real PostgreSQL: real workers, and a server that goes away in every way."""

import pytest
from django.db import OperationalError, connection

from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.support.valkey import wait_until


def completed() -> int:
    return Job.objects.filter(state=State.COMPLETED).count()


def test_jobs_on_postgres_complete(postgres, qcluster):
    qcluster()
    for number in range(20):
        submit("test.sync", {"n": number}, owner="alice")
    wait_until(lambda: completed() == 20, "all jobs")
    assert connection.vendor == "postgresql"


def test_postgres_without_connections_refuses_new_ones(postgres):
    """The fixture does what it says."""
    with postgres.no_connections():
        connection.close()
        with pytest.raises(OperationalError, match="too many connections"):
            completed()
    connection.close()
    assert completed() == 0
