"""An outcome counts once, also when it is reported again."""

import pytest

from queueing.record import attempts
from queueing.states import State

from .lifecycle import LOSSES, begin, end, new_job, result, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.mark.parametrize("outcome", [State.COMPLETED, State.FAILED, State.DELAYED, State.WAITING])
@pytest.mark.parametrize("kind", ["test.echo", "test.noop"])
def test_end_repeated_counts_once(kind, outcome):
    job = new_job(kind)
    run = begin(job)
    assert len(end(run, outcome).won) == 1
    before = snapshot(job)
    end(run, outcome)
    assert snapshot(job) == before


@pytest.mark.parametrize("value", [None, {"response": "all"}])
def test_end_completed_clears_errors_of_earlier_attempts(value):
    job = new_job("test.noop")
    end(begin(job), State.DELAYED, text="half", code="busy", error="Busy.")
    end(begin(job, "c1/w/2"), value=value)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.COMPLETED, value)
    assert (job.text, job.error, job.error_code, job.run_at) == ("", "", "", None)


@pytest.mark.parametrize(
    ("loss", "outcome"), [(LOSSES[1], State.WAITING), (LOSSES[4], State.WAITING), (LOSSES[5], State.DELAYED)]
)
def test_end_after_lost_claim_changes_nothing(loss, outcome):
    job = new_job()
    run = begin(job)
    loss(job)
    before = snapshot(job)
    late = result(run, outcome)
    assert attempts.end([late]).lost == [late]
    assert snapshot(job) == before
