"""Results in batches: into the database, then Redis, then to the owner, with failures at each step."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from queueing.conf import get_queue
from queueing.errors import Cooldown
from queueing.models import FailedAttempt, Job
from queueing.monitoring.counters import WorkerCounters
from queueing.record import attempts
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.worker.results import result_writer
from queueing.worker.results.result_writer import ResultWriter
from queueing.worker.runs.job_threads import JobThreads
from tests.queueing.record.lifecycle import new_job, result
from tests.queueing.testapp.models import Written
from tests.support.valkey import point_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def claim(queue: str = "test") -> list[Run]:
    """Claim all waiting jobs in Redis, begin them in the database, and return their runs."""
    found = redis_client.run(scripts.claim([get_queue(queue)], "c1/w/1", 100)).jobs
    return sorted(attempts.begin(found, "c1/w/1"), key=lambda run: run.id)


def settle(results: Sequence[Result]) -> list[str]:
    """Write results; return the ids of the jobs whose claims were freed."""
    freed: list[str] = []

    def on_settled(results: Iterable[Result]) -> None:
        freed.extend(one.run.id for one in results)

    async def go() -> None:
        database = DatabaseThread()
        threads = JobThreads(lambda: None)
        writer = ResultWriter(database, WorkerCounters("w1"), threads, on_settled, asyncio.Event())
        running = asyncio.create_task(writer.run())
        for one in results:
            writer.put(one)
        await writer.drain()
        running.cancel()
        database.close()
        await redis_client.aclose()

    asyncio.run(go())
    return freed


def unfinished(queue: str = "test") -> int:
    """Return the number of jobs in the schedule."""
    return redis_client.run(scripts.counts(queue)).unfinished


def test_results_are_recorded_and_leave_the_schedule():
    jobs = [new_job() for _ in range(20)]
    assert sorted(settle([result(run) for run in claim()])) == [job.id.hex for job in jobs]
    assert Job.objects.filter(state=State.COMPLETED).count() == Written.objects.count() == 20
    assert unfinished() == 0


def test_result_of_each_state_moves_its_job_to_that_state():
    for _ in range(4):
        new_job()
    done, bad, later, back = claim()
    settle(
        [
            result(done),
            result(bad, State.FAILED),
            result(later, State.DELAYED, delay=60),
            result(back, State.WAITING, spent=False),
        ]
    )
    places = redis_client.run(scripts.positions("test", [run.id for run in (done, bad, later, back)]))
    assert [place and place.state for place in places] == [None, None, "delayed", "waiting"]
    states = {job.id.hex: job.state for job in Job.objects.all()}
    assert [states[run.id] for run in (done, bad, later, back)] == [
        "completed",
        "failed",
        "delayed",
        "waiting",
    ]


def test_unwritable_result_fails_alone():
    for _ in range(5):
        new_job("test.noop")
    runs = claim()
    results = [result(run, value={"n": float("nan") if run is runs[2] else 1}) for run in runs]
    results[2].run.max_attempts = 1
    settle(results)
    states = [job.state for job in Job.objects.order_by("id")]
    assert states == ["completed", "completed", "failed", "completed", "completed"]
    assert unfinished() == 0


def test_unwritable_result_with_attempts_left_is_retried():
    new_job("test.noop")
    (run,) = claim()
    settle([result(run, value={"n": float("nan")})])
    job = Job.objects.get()
    assert (job.state, job.attempts) == (State.DELAYED, 1)
    assert redis_client.run(scripts.counts("test")).delayed == 1


def always_broken(ending: Any) -> None:
    """An `on_end` hook that always raises."""
    Written.objects.create(job_id=ending.job_id, state="half-written")
    raise RuntimeError("broken")


@pytest.mark.parametrize(("attempts", "state"), [(1, State.FAILED), (3, State.DELAYED)])
def test_broken_end_hook_fails_the_attempt(attempts, state):
    new_job()
    (run,) = claim()
    run.kind = replace(run.kind, on_end=always_broken)
    run.max_attempts = attempts
    settle([result(run)])
    assert Job.objects.get().state == state
    assert not Written.objects.exists()
    assert FailedAttempt.objects.count() == 1
    assert redis_client.run(scripts.counts("test")).active == 0


def test_result_of_a_cancelled_job_frees_its_claim():
    new_job()
    (run,) = claim()
    Job.objects.update(state=State.CANCELLED, finished_at=run.started_at)
    assert settle([result(run)]) == [run.id]
    assert redis_client.run(scripts.counts("test")).active == 0


def test_database_unavailable_for_a_while_gets_every_result(monkeypatch):
    monkeypatch.setattr(result_writer, "_RETRY_DELAY", 0.01)
    end, tries = attempts.end, iter(range(100))

    def end_after_three_errors(results: Sequence[Result]) -> attempts.RecordedResults:
        if next(tries) < 3:
            raise OperationalError("the database is unavailable")
        return end(results)

    monkeypatch.setattr(attempts, "end", end_after_three_errors)
    for _ in range(3):
        new_job()
    assert len(settle([result(run) for run in claim()])) == 3
    assert Written.objects.count() == 3


def test_redis_unavailable_results_are_recorded(settings):
    new_job()
    (run,) = claim()
    point_at(settings, "redis://127.0.0.1:1/0")
    assert settle([result(run)]) == [run.id]
    assert Job.objects.get().state == State.COMPLETED


def test_cooldown_applies_to_every_queue_of_the_provider(settings):
    queues = settings.QUEUEING["QUEUES"]
    shared = {name: queues[name] | {"provider": "p"} for name in ("test", "test-narrow")}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | shared}
    new_job()
    (run,) = claim()
    settle([result(run, State.WAITING, spent=False, trouble=Cooldown("All must wait.", after=30))])
    waits = {
        name: redis_client.run(scripts.counts(name)).cooldown
        for name in ("test", "test-narrow", "test-limited")
    }
    assert waits["test"] == pytest.approx(30, abs=3)
    assert waits["test-narrow"] == pytest.approx(30, abs=3)
    assert waits["test-limited"] == 0


@pytest.mark.parametrize(("outcome", "spent", "attempt"), [("cooldown", False, 0), ("failed", True, 1)])
def test_retrying_event_counts_the_spent_attempts(outcome, spent, attempt):
    new_job()
    (run,) = claim()
    state = State.DELAYED if spent else State.WAITING
    event = result_writer.event_of_result(result(run, state, outcome=outcome, delay=30, spent=spent))
    assert event["type"] == "test:retrying"
    assert (event["attempt"], event["of"]) == (attempt, run.max_attempts)
    settle([result(run, state, outcome=outcome, delay=30, spent=spent)])
    assert Job.objects.get().attempts == attempt


def test_freed_dependent_is_scheduled():
    parent = new_job()
    child = new_job(depends_on=[parent])
    (run,) = claim()
    settle([result(run)])
    assert redis_client.run(scripts.positions("test", [child.id.hex]))[0].state == "waiting"


def test_event_that_cannot_be_made_stops_no_writer(monkeypatch, caplog):
    """E8: telling can never harm recording."""
    for _ in range(3):
        new_job()
    runs = claim()

    def broken(_: Result) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(result_writer, "event_of_result", broken)
    for run in runs:
        run.owner = "alice"
    assert len(settle([result(run, value={"n": 2**70}) for run in runs])) == 3
    assert Job.objects.filter(state=State.COMPLETED).count() == 3
    assert "were recorded, but" in caplog.text
