"""The record's guards: each move has one winner, and the loser changes nothing."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.errors import WrongState
from queueing.models import FailedAttempt, Job
from queueing.record import attempts
from queueing.recovery import stalled
from queueing.schedule.scripts import Claimed
from queueing.states import FINISHED, State
from tests.queueing.testapp.models import Written

from .moves import LOSSES, at_once, begin, end, everything, new_job, result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def test_beginning_loads_the_job_and_counts_the_attempt():
    job = new_job(owner="alice", request_id="r1", meta={"threadId": "t"})
    run = begin(job)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.token) == (State.ACTIVE, 1, "c1/w/1")
    assert (run.owner, run.request_id, run.meta, run.attempt) == ("alice", "r1", {"threadId": "t"}, 1)


@pytest.mark.parametrize("over", sorted(FINISHED))
def test_a_job_that_is_over_does_not_begin(over):
    job = new_job()
    if over == State.CANCELLED:
        verbs.cancel(job.id)
    else:
        end(begin(job), State(over))
    before = everything(job)
    assert attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], "c2/w/1") == []
    assert everything(job) == before


def test_of_a_batch_those_that_can_begin_do():
    jobs = [new_job() for _ in range(3)]
    verbs.cancel(jobs[1].id)
    runs = attempts.begin([Claimed(job.id.hex, job.queue, 0.0) for job in jobs], "c1/w/1")
    assert {run.id for run in runs} == {jobs[0].id.hex, jobs[2].id.hex}


def deleted(job: Job) -> None:
    Job.objects.filter(id=job.id).delete()


def test_a_claim_that_ended_does_not_begin_a_job_that_began_under_a_newer_one():
    job = new_job()
    claimed_at = timezone.now()
    newer = begin(job, "c2/w/1")
    before = everything(job)
    assert attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], "c1/w/1", claimed_at) == []
    assert everything(job) == before
    assert len(end(newer).won) == 1


def test_a_job_whose_beginning_nobody_heard_of_begins_under_the_next_claim():
    job = new_job()
    lost = begin(job, "c1/w/1")
    assert begin(job, "c2/w/1").number == 2
    assert end(lost).won == []


OUTCOMES = [State.COMPLETED, State.FAILED, State.DELAYED, State.WAITING]
LATE = [
    pytest.param(loss, outcome, id=f"{outcome}-{loss.__name__}") for loss in LOSSES for outcome in OUTCOMES
]


@pytest.mark.parametrize(("loss", "outcome"), LATE)
def test_an_outcome_that_comes_too_late_changes_nothing(loss, outcome):
    job = new_job()
    run = begin(job)
    loss(job)
    before = everything(job)
    late = result(run, outcome, lines=[(run.started_at, "too late")])
    recorded = attempts.end([late])
    assert (recorded.won, recorded.lost, recorded.broken) == ([], [late], [])
    assert everything(job) == before
    assert not job.log.exists()


def test_an_outcome_of_a_deleted_job_is_lost_quietly():
    job = new_job()
    run = begin(job)
    deleted(job)
    assert len(end(run).lost) == 1


def test_late_ones_in_a_batch_do_not_hold_up_the_rest():
    jobs = [new_job() for _ in range(4)]
    runs = [begin(job) for job in jobs]
    verbs.cancel(jobs[2].id)
    recorded = attempts.end([result(run) for run in runs])
    assert {r.run.id for r in recorded.won} == {jobs[i].id.hex for i in (0, 1, 3)}
    assert [r.run.id for r in recorded.lost] == [jobs[2].id.hex]
    assert Written.objects.filter(state="completed").count() == 3


def test_late_ones_in_a_batch_of_bare_ends_do_not_either():
    jobs = [new_job("test.noop") for _ in range(4)]
    runs = attempts.begin([Claimed(job.id.hex, job.queue, 0.0) for job in jobs], "c1/w/1")
    verbs.cancel(jobs[2].id)
    recorded = attempts.end([result(run, value=None) for run in runs])
    assert len(recorded.won) == 3
    assert Job.objects.filter(state=State.COMPLETED).count() == 3


def test_on_end_runs_once_however_often_the_job_ran():
    job = new_job()
    for n in range(2):
        end(begin(job, f"c1/w/{n}"), State.DELAYED, delay=1)
    stalled_run = begin(job, "c1/w/3")
    stalled.record_stalls(get_queue(job.queue), [(job.id.hex, "c1/w/3")])
    assert len(end(begin(job, "c2/w/1")).won) == 1
    assert len(end(stalled_run).lost) == 1
    assert [w.state for w in Written.objects.all()] == ["completed"]
    assert [a.outcome for a in FailedAttempt.objects.all()] == ["failed", "failed", "stalled"]


def test_what_is_kept_of_an_attempt_that_did_not_complete():
    job = new_job()
    run = begin(job)
    end(run, State.DELAYED, delay=30, code="busy", error="Busy.", detail="Traceback …", text="half")
    job.refresh_from_db()
    assert (job.state, job.text, job.error_code, job.error) == (State.DELAYED, "half", "busy", "Busy.")
    assert (job.run_at - job.failed_attempts.get().ended_at).total_seconds() == pytest.approx(30)
    kept = job.failed_attempts.get()
    assert (kept.number, kept.outcome, kept.worker, kept.code) == (1, "failed", "c1/w/1", "busy")


def test_an_attempt_that_is_not_spent_is_not_counted():
    job = new_job()
    end(begin(job), State.WAITING, outcome="cooldown", spent=False)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert begin(job, "c1/w/2").attempt == 1


def broken_hook(ending: Any) -> None:
    """Write something, then fail."""
    Written.objects.create(job_id=ending.job_id, state="half")
    raise RuntimeError("the hook is broken")


def test_a_hook_that_raises_undoes_the_outcome_and_leaves_the_claim():
    good, bad = new_job(), new_job()
    run = begin(bad)
    run.kind = replace(run.kind, on_end=broken_hook)
    before = everything(bad)
    recorded = attempts.end([result(run), result(begin(good))])
    ((broken, exc),) = recorded.broken
    assert (broken.run.id, str(exc)) == (bad.id.hex, "the hook is broken")
    assert everything(bad) == before
    assert [w.job_id for w in Written.objects.all()] == [good.id.hex]
    assert len(end(replace(run, kind=None)).won) == 1, "the claim still holds"


def test_a_result_the_database_cannot_write_does_not_harm_the_others_in_its_batch():
    good, bad = new_job(), new_job()
    unwritable = result(begin(bad), value={"number": float("nan")})
    recorded = attempts.end([unwritable, result(begin(good))])
    assert [r.run.id for r in recorded.won] == [good.id.hex]
    assert [r for r, _ in recorded.broken] == [unwritable]


@pytest.mark.parametrize("round_", range(5))
def test_two_at_once_end_a_job_once(round_):
    job = new_job()
    run = begin(job)
    outcomes = at_once(
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
def test_two_at_once_cancel_a_job_once(round_):
    job = new_job()
    outcomes = at_once(*[lambda: verbs.cancel(job.id)] * 4)
    assert sum(isinstance(o, Job) for o in outcomes) == 1
    assert sum(isinstance(o, WrongState) for o in outcomes) == 3
    assert Written.objects.get().state == "cancelled"


def test_a_claim_that_stalls_too_often_fails_and_is_told_once():
    job = new_job()
    queue = get_queue(job.queue)
    for n in range(queue.max_stalled + 1):
        run = begin(job, f"c1/w/{n}")
        over = stalled.record_stalls(queue, [(run.id, run.token)])
    job.refresh_from_db()
    assert over == [job.id.hex]
    assert (job.state, job.error_code, job.stalls) == (State.FAILED, "stalled", queue.max_stalled)
    assert Written.objects.get().state == "failed"


def test_a_claim_whose_outcome_is_on_record_has_not_stalled():
    job = new_job()
    run = begin(job)
    end(run, State.DELAYED, delay=60)
    before = everything(job)
    assert stalled.record_stalls(get_queue(job.queue), [(run.id, run.token)]) == []
    assert everything(job) == before
