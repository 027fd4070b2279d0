"""The record's guards: each step has one winner, and the loser changes nothing."""

import time
from dataclasses import replace
from typing import Any

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.errors import WrongState
from queueing.models import FailedAttempt, Job
from queueing.record import attempts
from queueing.recovery import stalled
from queueing.schedule.scripts import Claimed
from queueing.states import FINISHED, State
from tests.queueing.testapp.models import Written

from .lifecycle import LOSSES, begin, end, new_job, result, run_concurrently, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_begin_waiting_job_loads_it_and_counts_attempt():
    job = new_job(owner="alice", request_id="r1", meta={"threadId": "t"})
    run = begin(job)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.token) == (State.ACTIVE, 1, "c1/w/1")
    assert (run.owner, run.request_id, run.meta, run.attempt) == ("alice", "r1", {"threadId": "t"}, 1)


@pytest.mark.parametrize("over", sorted(FINISHED))
def test_begin_finished_job_changes_nothing(over):
    job = new_job()
    if over == State.CANCELLED:
        verbs.cancel(job.id)
    else:
        end(begin(job), State(over))
    before = snapshot(job)
    assert attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], "c2/w/1") == []
    assert snapshot(job) == before


def test_begin_batch_with_cancelled_job_begins_others():
    jobs = [new_job() for _ in range(3)]
    verbs.cancel(jobs[1].id)
    runs = attempts.begin([Claimed(job.id.hex, job.queue, 0.0) for job in jobs], "c1/w/1")
    assert {run.id for run in runs} == {jobs[0].id.hex, jobs[2].id.hex}


def deleted(job: Job) -> None:
    Job.objects.filter(id=job.id).delete()


def test_begin_under_expired_claim_after_newer_claim_changes_nothing():
    job = new_job()
    claimed = time.monotonic()
    newer = begin(job, "c2/w/1")
    before = snapshot(job)
    assert attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], "c1/w/1", claimed) == []
    assert snapshot(job) == before
    assert len(end(newer).won) == 1


def test_begin_after_lost_begin_counts_new_run():
    job = new_job()
    lost = begin(job, "c1/w/1")
    assert begin(job, "c2/w/1").number == 2
    assert end(lost).won == []


OUTCOMES = [State.COMPLETED, State.FAILED, State.DELAYED, State.WAITING]
LATE = [
    pytest.param(loss, outcome, id=f"{outcome}-{loss.__name__}") for loss in LOSSES for outcome in OUTCOMES
]


@pytest.mark.parametrize(("loss", "outcome"), LATE)
def test_end_after_lost_claim_changes_nothing(loss, outcome):
    job = new_job()
    run = begin(job)
    loss(job)
    before = snapshot(job)
    late = result(run, outcome, lines=[(run.started_at, "too late")])
    recorded = attempts.end([late])
    assert (recorded.won, recorded.lost, recorded.broken) == ([], [late], [])
    assert snapshot(job) == before
    assert not job.log.exists()


def test_end_of_deleted_job_is_refused():
    job = new_job()
    run = begin(job)
    deleted(job)
    assert len(end(run).lost) == 1


def test_end_batch_with_late_result_records_others():
    jobs = [new_job() for _ in range(4)]
    runs = [begin(job) for job in jobs]
    verbs.cancel(jobs[2].id)
    recorded = attempts.end([result(run) for run in runs])
    assert {r.run.id for r in recorded.won} == {jobs[i].id.hex for i in (0, 1, 3)}
    assert [r.run.id for r in recorded.lost] == [jobs[2].id.hex]
    assert Written.objects.filter(state="completed").count() == 3


def test_end_batch_without_values_with_late_result_records_others():
    jobs = [new_job("test.noop") for _ in range(4)]
    runs = attempts.begin([Claimed(job.id.hex, job.queue, 0.0) for job in jobs], "c1/w/1")
    verbs.cancel(jobs[2].id)
    recorded = attempts.end([result(run, value=None) for run in runs])
    assert len(recorded.won) == 3
    assert Job.objects.filter(state=State.COMPLETED).count() == 3


def test_end_after_several_runs_calls_hook_once():
    job = new_job()
    for n in range(2):
        end(begin(job, f"c1/w/{n}"), State.DELAYED, delay=1)
    stalled_run = begin(job, "c1/w/3")
    stalled.record_stalls(get_queue(job.queue), [(job.id.hex, "c1/w/3")])
    assert len(end(begin(job, "c2/w/alone")).won) == 1
    assert len(end(stalled_run).lost) == 1
    assert [w.state for w in Written.objects.all()] == ["completed"]
    assert [a.outcome for a in FailedAttempt.objects.all()] == ["failed", "failed", "stalled"]


def test_end_of_failed_attempt_stores_its_details():
    job = new_job()
    run = begin(job)
    end(run, State.DELAYED, delay=30, code="busy", error="Busy.", detail="Traceback …", text="half")
    job.refresh_from_db()
    assert (job.state, job.text, job.error_code, job.error) == (State.DELAYED, "half", "busy", "Busy.")
    assert (job.run_at - job.failed_attempts.get().ended_at).total_seconds() == pytest.approx(30)
    kept = job.failed_attempts.get()
    assert (kept.number, kept.outcome, kept.worker, kept.code) == (1, "failed", "c1/w/1", "busy")


def test_end_of_released_run_counts_no_attempt():
    job = new_job()
    end(begin(job), State.WAITING, outcome="cooldown", spent=False)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert begin(job, "c1/w/2").attempt == 1


def broken_hook(ending: Any) -> None:
    """Write something, then fail."""
    Written.objects.create(job_id=ending.job_id, state="half")
    raise RuntimeError("the hook is broken")


def test_end_with_hook_that_raises_keeps_claim_and_writes_nothing():
    good, bad = new_job(), new_job()
    run = begin(bad)
    run.kind = replace(run.kind, on_end=broken_hook)
    before = snapshot(bad)
    recorded = attempts.end([result(run), result(begin(good))])
    ((broken, exc),) = recorded.broken
    assert (broken.run.id, str(exc)) == (bad.id.hex, "the hook is broken")
    assert snapshot(bad) == before
    assert [w.job_id for w in Written.objects.all()] == [good.id.hex]
    assert len(end(replace(run, kind=None)).won) == 1, "the claim still holds"


def test_end_batch_with_unwritable_result_records_others():
    good, bad = new_job(), new_job()
    unwritable = result(begin(bad), value={"number": float("nan")})
    recorded = attempts.end([unwritable, result(begin(good))])
    assert [r.run.id for r in recorded.won] == [good.id.hex]
    assert [r for r, _ in recorded.broken] == [unwritable]


@pytest.mark.parametrize("round_", range(5))
def test_end_concurrent_has_one_winner(round_):
    job = new_job()
    run = begin(job)
    outcomes = run_concurrently(
        lambda: end(run),
        lambda: end(run, State.FAILED),
        lambda: verbs.cancel(job.id),
        lambda: stalled.record_stalls(get_queue(job.queue), [(run.id, run.token)]),
    )
    job.refresh_from_db()
    wins = sum(len(o.won) for o in outcomes if isinstance(o, attempts.RecordedResults))
    if job.state == State.CANCELLED:
        assert isinstance(outcomes[2], Job)
        assert wins == 0
    elif job.state in FINISHED:
        assert isinstance(outcomes[2], WrongState)
        assert wins == 1
    assert [w.state for w in Written.objects.all()] == [job.state]


@pytest.mark.parametrize("round_", range(3))
def test_cancel_concurrent_has_one_winner(round_):
    job = new_job()
    outcomes = run_concurrently(*[lambda: verbs.cancel(job.id)] * 4)
    assert sum(isinstance(o, Job) for o in outcomes) == 1
    assert sum(isinstance(o, WrongState) for o in outcomes) == 3
    assert Written.objects.get().state == "cancelled"


def test_record_stalls_too_often_fails_job_and_calls_hook_once():
    job = new_job()
    queue = get_queue(job.queue)
    for n in range(queue.max_stalled + 1):
        run = begin(job, f"c1/w{n}/alone")
        over = stalled.record_stalls(queue, [(run.id, run.token)])
    job.refresh_from_db()
    assert over == [job.id.hex]
    assert (job.state, job.error_code, job.stalls) == (State.FAILED, "stalled", queue.max_stalled)
    assert Written.objects.get().state == "failed"


def test_record_stalls_of_recorded_outcome_changes_nothing():
    job = new_job()
    run = begin(job)
    end(run, State.DELAYED, delay=60)
    before = snapshot(job)
    assert stalled.record_stalls(get_queue(job.queue), [(run.id, run.token)]) == []
    assert snapshot(job) == before


def test_ordinary_worker_begins_no_suspect():
    job = new_job()
    run = begin(job)
    stalled.record_stalls(get_queue(job.queue), [(run.id, run.token)])
    assert attempts.begin([Claimed(run.id, job.queue, 0.0)], "c1/w/2") == []
    assert end(begin(job, "c1/w/alone"), State.DELAYED, delay=1).won
    job.refresh_from_db()
    assert (job.state, job.suspect, job.stalls) == (State.DELAYED, False, 1)
