"""An error in one item of a worker's background work costs that item alone (E15)."""

import pytest
from django.db import DataError, OperationalError

from queueing.conf import get_conf, get_queue
from queueing.models import Job
from queueing.monitoring.counters import WorkerCounters
from queueing.record.database_thread import DatabaseThread
from queueing.recovery.stalled import record_stalls
from queueing.schedule import redis_client
from queueing.states import State
from queueing.worker.liveness.identity import Identity
from queueing.worker.maintenance import Maintenance
from queueing.worker.notifier import Notifier
from queueing.worker.runs.active_runs import ActiveRuns
from queueing.worker.wake import Wake
from tests.queueing.record.lifecycle import begin, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


class SomeClaimer:
    """A claimer as maintenance sees it."""

    def __init__(self) -> None:
        self.identity = Identity(cluster="c")
        self.slots = 1

    async def follow_operator(self) -> None:
        """Do nothing."""

    async def look_for_parked_jobs(self) -> None:
        """Fail, as a bug would."""
        raise RuntimeError("a bug")

    def resize(self, slots: int) -> None:
        """Take it."""
        self.slots = slots


def maintenance_of(claimer: SomeClaimer, database: DatabaseThread) -> Maintenance:
    return Maintenance(claimer, WorkerCounters("c/w"), database, lambda: None)


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), DataError("one row"), redis_client.redis.ResponseError("one")]
)
async def test_duty_that_fails_does_not_stop_the_other_duties(error, caplog):
    database = DatabaseThread()
    claimer = SomeClaimer()

    async def fail() -> None:
        raise error

    claimer.look_for_parked_jobs = fail
    await maintenance_of(claimer, database)._cycle()
    assert claimer.slots > 1
    assert await redis_client.aclient().get("{buddy}:cleaned"), "the later duties were done"
    assert "a duty of maintenance failed" in caplog.text
    database.close()
    await redis_client.aclose()


async def test_outage_ends_the_cycle():
    claimer = SomeClaimer()

    async def fail() -> None:
        raise OperationalError("no connection")

    claimer.look_for_parked_jobs = fail
    with pytest.raises(OperationalError):
        await maintenance_of(claimer, DatabaseThread())._cycle()
    assert not await redis_client.aclient().get("{buddy}:cleaned")
    await redis_client.aclose()


@pytest.mark.parametrize("data", [b"job:[]", b"job:nonsense", b"owner:7", b"\xff\xfe"])
async def test_notification_that_cannot_be_read_is_ignored(data, caplog):
    wake = Wake()
    notifier = Notifier(
        "own",
        wake,
        ActiveRuns(get_conf(), lambda _: None),
        on_job=lambda token, queue, job_id, at, limited: None,
        on_limits=lambda: None,
        on_needs=lambda: None,
        on_quiet=lambda: None,
    )
    notifier._receive("own", data)
    assert "cannot be read" in caplog.text
    notifier._receive("own", b"wake:test")
    await wake.wait(5)


def test_end_hook_that_raises_does_not_keep_a_stalled_job_active(monkeypatch):
    job, other = new_job("test.hook-exit"), new_job()
    queue = get_queue("test")
    for one in (job, other):
        begin(one, "c/w/alone")
    Job.objects.update(stalls=queue.max_stalled)
    record_stalls(queue, [(one.id.hex, "c/w/alone") for one in (job, other)])
    assert set(Job.objects.values_list("state", "error_code")) == {(State.FAILED, "stalled")}
