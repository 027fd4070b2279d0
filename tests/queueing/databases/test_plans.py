"""The plans of the engine's hot statements: on neither database does one read a whole table (D4)."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from queueing.conf import get_queue
from queueing.control import owners
from queueing.events import catch_up
from queueing.events.waits import delay_reasons
from queueing.monitoring import failures, statistics
from queueing.record import attempts, orphans, pruning
from queueing.recovery import reconcile, restore, stalled
from queueing.schedule.scripts import Claimed
from queueing.submit import submit
from queueing.values.ids import new_id
from tests.queueing.record.lifecycle import begin, new_job, result
from tests.support.plans import numbers, statements, whole_reads

_FILL = """
INSERT INTO queueing_job (id, kind, kind_version, queue, owner, request_id, args, meta, state, priority,
    attempts, run_count, max_attempts, stalls, unfinished_parents, has_dependents, token, created_at,
    started_at, finished_at, text, error_code, error, suspect)
SELECT {id}, kind, kind_version, queue, 'owner' || (number % 1000), 'request' || number, args, meta,
    'completed', priority, 1, 1, max_attempts, 0, 0, {no}, 'old', created_at, created_at, created_at,
    '', '', '', suspect
FROM queueing_job, {numbers} WHERE request_id = 'model'
"""


def fill() -> None:
    """Store finished jobs of many owners, and some others."""
    new_job(request_id="model", owner="model")
    postgresql = connection.vendor == "postgresql"
    now = new_id().hex[:12]  # ids begin with the time
    sql = _FILL.format(
        id=f"('{now}' || lpad(to_hex(number), 20, '0'))::uuid"
        if postgresql
        else f"printf('{now}%020x', number)",
        no="false" if postgresql else "0",
        numbers=numbers(),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("ANALYZE")


def an_end() -> None:
    attempts.end([result(begin(new_job("test.echo", owner="owner1", request_id=uuid.uuid4().hex)))])


def a_begin() -> None:
    job = new_job()
    attempts.begin([Claimed(job.id.hex, "test", 0.0, False)], "w/1")


def rename_in_transaction() -> None:
    with transaction.atomic():
        owners.rename_owner("owner3", "owner4")


def erase_in_transaction() -> None:
    with transaction.atomic():
        owners.erase_owner("owner5")


HOT: dict[str, Callable[[], Any]] = {
    "submit": lambda: submit("test.echo", {}, owner="owner7", request_id="new"),
    "submit again": lambda: submit("test.echo", {}, owner="owner7", request_id="request7"),
    "begin": a_begin,
    "end": an_end,
    "stale claims": lambda: attempts.stale_claims([(new_id().hex, "t")]),
    "reconcile": lambda: reconcile.unfinished_after("0" * 32),
    "still unfinished": lambda: reconcile.still_unfinished([new_id().hex]),
    "restore": restore.active_jobs,
    "stalls": lambda: stalled.record_stalls(get_queue("test"), [(new_id().hex, "t")]),
    "prune": pruning.prune,
    "orphans": orphans.orphaned_queues,
    "orphans with failures": lambda: list(orphans.orphaned_queues_with_failures()),
    "failures": failures.groups,
    "statistics": statistics.summary,
    "catch up": lambda: catch_up._read(submit("test.echo", {}).job.id.hex),
    "states": lambda: catch_up._read_states([new_id().hex]),
    "delayed": lambda: delay_reasons.expected_waits([new_id().hex]),
    "stop an owner": lambda: owners.stop_owner("owner2"),
    "rename an owner": rename_in_transaction,
    "erase an owner": erase_in_transaction,
}


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("valkey", "either_database")
def test_hot_statements_read_no_whole_table():
    fill()
    found = {}
    for name, call in HOT.items():
        with statements() as made:
            call()
        assert made, name
        for sql, params in made:
            if lines := whole_reads(sql, params, ["queueing_job"]):
                found[f"{name}: {sql[:300]}"] = lines
    assert not found, json.dumps(found, indent=1)
