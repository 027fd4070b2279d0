"""A transaction that PostgreSQL rolls back to end a deadlock may succeed later: it is nobody's failure."""

from threading import Thread

import pytest
from django.db import OperationalError, transaction

from queueing.api import Job, submit
from queueing.record.outage import is_outage
from tests.support.valkey import wait_until


def test_deadlock_is_an_outage_and_not_the_failure_of_a_job(postgres):
    """Found by `make chaos`: Stop for a waiting message, while the answer before it ended."""
    first, second = (submit("test.sleep", {"seconds": 0}).job for _ in range(2))
    other = postgres.connect()
    other.execute("SET deadlock_timeout = '60s'")  # PostgreSQL ends the transaction that looks first
    other.execute("BEGIN")
    other.execute("UPDATE queueing_job SET priority = 7 WHERE id = %s", [second.id])
    update = "UPDATE queueing_job SET priority = 7 WHERE id = %s"
    waiting = Thread(target=other.execute, args=(update, [first.id]))

    with pytest.raises(OperationalError) as raised, transaction.atomic():  # noqa: PT012
        Job.objects.filter(id=first.id).update(priority=8)
        waiting.start()
        wait_until(lambda: postgres.execute("SELECT 1 FROM pg_locks WHERE NOT granted"), "a lock")
        Job.objects.filter(id=second.id).update(priority=8)

    assert "deadlock" in str(raised.value)
    assert is_outage(raised.value)
    waiting.join(10)
    other.close()
