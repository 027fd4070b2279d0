"""An outcome counts once, however often it is told; and what became of children in odd cases."""

import pytest

from queueing.record import attempts
from queueing.states import State
from tests.queueing.testapp.models import Written

from .moves import LOSSES, begin, end, everything, new_job, result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.mark.parametrize("outcome", [State.COMPLETED, State.FAILED, State.DELAYED, State.WAITING])
@pytest.mark.parametrize("kind", ["test.echo", "test.noop"])
def test_an_outcome_told_twice_counts_once(kind, outcome):
    job = new_job(kind)
    run = begin(job)
    assert len(end(run, outcome).won) == 1
    before = everything(job)
    end(run, outcome)
    assert everything(job) == before


@pytest.mark.parametrize("value", [None, {"response": "all"}])
def test_a_completed_job_keeps_nothing_of_its_earlier_attempts(value):
    job = new_job("test.noop")
    end(begin(job), State.DELAYED, text="half", code="busy", error="Busy.")
    end(begin(job, "c1/w/2"), value=value)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.COMPLETED, value)
    assert (job.text, job.error, job.error_code, job.run_at) == ("", "", "", None)


@pytest.mark.parametrize(
    ("loss", "outcome"), [(LOSSES[1], State.WAITING), (LOSSES[4], State.WAITING), (LOSSES[5], State.DELAYED)]
)
def test_an_outcome_that_comes_too_late_changes_nothing(loss, outcome):
    job = new_job()
    run = begin(job)
    loss(job)
    before = everything(job)
    late = result(run, outcome)
    assert attempts.end([late]).lost == [late]
    assert everything(job) == before


def test_an_end_told_twice_does_not_free_a_child_that_waits_for_another():
    parents = [new_job("test.noop"), new_job("test.noop")]
    new_job(depends_on=parents)
    run = begin(parents[0])
    end(run)
    assert end(run).freed == []


def test_a_child_with_a_delay_is_freed_too():
    parent = new_job()
    child = new_job(depends_on=[parent], delay=60)
    assert end(begin(parent)).freed == [child]


def test_a_parent_named_twice_is_one_parent():
    parent = new_job()
    assert new_job(depends_on=[parent, parent]).unfinished_parents == 1


def test_a_child_whose_parent_had_failed_is_told_its_end():
    parent = new_job()
    end(begin(parent), State.FAILED)
    child = new_job(depends_on=[parent])
    assert Written.objects.get(job_id=child.id.hex).state == "failed"
