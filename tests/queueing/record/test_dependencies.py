"""Parents and children: a child runs after all its parents, or not at all."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.record import attempts, dependencies
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written
from tests.support.valkey import wait_until

from .moves import at_once, begin, end, new_job, result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def place(job: Job) -> object:
    """Where the schedule has it."""
    return redis_client.run(scripts.positions(job.queue, [job.id.hex]))[0]


def test_a_child_waits_outside_the_schedule():
    child = new_job(depends_on=[new_job()])
    assert (child.state, child.unfinished_parents) == (State.DELAYED, 1)
    assert place(child) is None


def test_the_end_of_the_parent_frees_the_child():
    parent = new_job()
    child = new_job(depends_on=[parent])
    assert end(begin(parent)).freed == [child]
    child.refresh_from_db()
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    enqueue_all([child])
    assert place(child).state == "waiting"


def test_a_child_waits_for_all_its_parents():
    parents = [new_job() for _ in range(3)]
    child = new_job(depends_on=parents)
    assert end(begin(parents[2])).freed == []
    recorded = attempts.end([result(begin(parent)) for parent in parents[:2]])
    assert recorded.freed == [child]


def test_a_parent_that_is_tried_again_keeps_its_child_waiting():
    parent = new_job()
    child = new_job(depends_on=[parent])
    assert end(begin(parent), State.DELAYED, delay=1).freed == []
    child.refresh_from_db()
    assert child.unfinished_parents == 1


def test_parents_that_are_done_are_not_waited_for():
    parent = new_job()
    end(begin(parent))
    child = new_job(depends_on=[parent])
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    assert place(child).state == "waiting"


def failed(job: Job) -> None:
    end(begin(job), State.FAILED)


def cancelled(job: Job) -> None:
    verbs.cancel(job.id)


@pytest.mark.parametrize("how", [failed, cancelled])
def test_a_parent_that_does_not_complete_fails_its_children_and_theirs(how):
    parent = new_job()
    child = new_job(depends_on=[parent, new_job()])
    grandchild = new_job(depends_on=[child])
    how(parent)
    for job in (child, grandchild):
        job.refresh_from_db()
        assert (job.state, job.error_code, job.unfinished_parents) == (State.FAILED, "parent_failed", 0)
        assert Written.objects.get(job_id=job.id.hex).state == "failed"


@pytest.mark.parametrize("how", [failed, cancelled])
def test_a_parent_that_has_failed_already_fails_the_child_at_once(how):
    parent = new_job()
    how(parent)
    child = new_job(depends_on=[parent])
    assert (child.state, child.error_code) == (State.FAILED, "parent_failed")
    assert place(child) is None


def test_a_cancelled_child_is_not_freed():
    parent = new_job()
    child = new_job(depends_on=[parent])
    verbs.cancel(child.id)
    assert end(begin(parent)).freed == []
    child.refresh_from_db()
    assert child.state == State.CANCELLED


def test_the_end_of_the_other_parent_does_not_revive_a_failed_child():
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    verbs.cancel(parents[0].id)
    assert end(begin(parents[1])).freed == []
    child.refresh_from_db()
    assert child.state == State.FAILED
    assert Written.objects.filter(job_id=child.id.hex).count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_a_child_submitted_as_its_parent_ends_runs(round_):
    parent = new_job()
    run = begin(parent)
    recorded, submission = at_once(lambda: end(run), lambda: submit("test.echo", {}, depends_on=[parent]))
    child = Job.objects.get(id=submission.job.id)
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    assert recorded.freed == [child] or place(child), "somebody puts it in the schedule"


@pytest.mark.parametrize("round_", range(5))
def test_two_parents_that_end_at_once_free_their_child_once(round_):
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    runs = [begin(parent) for parent in parents]
    outcomes = at_once(*[lambda run=run: end(run) for run in runs])
    assert [job for outcome in outcomes for job in outcome.freed] == [child]


def test_a_long_chain_of_dependents_fails_without_end_of_stack():
    first = job = new_job("test.noop")
    for _ in range(150):
        job = submit("test.noop", {}, depends_on=[job]).job
    verbs.cancel(first.id)
    assert Job.objects.filter(state=State.FAILED).count() == 150


def test_a_child_runs_after_its_parent_in_real_workers(qcluster):
    qcluster()
    parent = submit("test.flaky", {"fail": 1}).job
    child = submit("test.echo", {}, depends_on=[parent]).job

    def done() -> bool:
        child.refresh_from_db()
        return child.state == State.COMPLETED

    wait_until(done, "the child")
    parent.refresh_from_db()
    assert parent.state == State.COMPLETED
    assert child.started_at >= parent.finished_at


def test_nothing_to_settle_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert dependencies.settle([]) == []
