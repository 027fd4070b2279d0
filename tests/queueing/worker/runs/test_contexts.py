"""Each run has a context of its own: what a function sets does not reach the next one on its thread (E14)."""

import asyncio

import pytest
from django.db import transaction
from django.utils import translation
from django_q.models import Success
from django_q.tasks import async_task, result

from queueing.models import Job
from queueing.record.database_thread import DatabaseThread
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp import traces
from tests.queueing.testapp.models import Written
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CLEAN = {
    "person": "no person",
    "language": "en-us",
    "zone": "America/Chicago",
    "in_transaction": False,
}


def is_clean(found):
    return {name: found[name] for name in CLEAN} == CLEAN


def test_traces_of_plain_functions_reach_no_other_run(qcluster):
    qcluster()
    seen = [finished(submit("test.traces", {"name": f"visitor {n}"}).job).result for n in range(3)]
    for n in range(3):
        task_id = async_task("tests.queueing.testapp.traces.leave", f"task {n}")
        wait_until(lambda task_id=task_id: Success.objects.filter(id=task_id).exists(), "the task")
        seen.append(result(task_id))
    assert all(map(is_clean, seen)), seen
    assert len({found["thread"] for found in seen}) < len(seen), "no thread was used twice"
    assert not Written.objects.exists(), "transactions that were left open were committed"


@pytest.mark.parametrize("kind", ["test.hook-open", "test.hook-exit", "test.hook-traces"])
def test_end_hook_of_one_job_does_not_affect_other_jobs(qcluster, kind):
    qcluster()
    jobs = [submit(kind, {}).job for _ in range(2)] + [submit("test.echo", {"text": "x"}).job]
    wanted = State.COMPLETED if kind == "test.hook-traces" else State.FAILED
    assert [finished(job).state for job in jobs] == [wanted, wanted, State.COMPLETED]
    assert Job.objects.filter(stalls=0).count() == 3


def test_function_that_leaves_a_transaction_open_on_the_database_thread_fails_alone():
    async def go() -> None:
        database = DatabaseThread()
        with pytest.raises(RuntimeError, match="left open"):
            await database.run_sync(transaction.atomic().__enter__)
        with pytest.raises(RuntimeError, match="SystemExit"):
            await database.run_sync(traces.exit_at_the_end, None)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await database.run_sync(next, iter(()))
        await database.run_sync(translation.activate, "de")
        assert is_clean(await database.run_sync(traces.look))
        database.close()

    asyncio.run(go())
