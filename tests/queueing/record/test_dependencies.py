"""`submit(depends_on=…)`: a job runs after all its parents have completed, or not at all."""

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

from .lifecycle import begin, end, new_job, result, run_concurrently

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def position(job: Job) -> object:
    """Return where the schedule has the job, or None."""
    return redis_client.run(scripts.positions(job.queue, [job.id.hex]))[0]


def test_depends_on_unfinished_parent_keeps_child_out_of_schedule():
    child = new_job(depends_on=[new_job()])
    assert (child.state, child.unfinished_parents) == (State.DELAYED, 1)
    assert position(child) is None


def test_depends_on_parent_completed_frees_child():
    parent = new_job()
    child = new_job(depends_on=[parent])
    assert end(begin(parent)).freed == [child]
    child.refresh_from_db()
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    enqueue_all([child])
    assert position(child).state == "waiting"


def test_depends_on_several_parents_waits_for_all():
    parents = [new_job() for _ in range(3)]
    child = new_job(depends_on=parents)
    assert end(begin(parents[2])).freed == []
    recorded = attempts.end([result(begin(parent)) for parent in parents[:2]])
    assert recorded.freed == [child]


def test_depends_on_parent_retried_later_keeps_child_waiting():
    parent = new_job()
    child = new_job(depends_on=[parent])
    assert end(begin(parent), State.DELAYED, delay=1).freed == []
    child.refresh_from_db()
    assert child.unfinished_parents == 1


def test_depends_on_completed_parent_does_not_wait():
    parent = new_job()
    end(begin(parent))
    child = new_job(depends_on=[parent])
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    assert position(child).state == "waiting"


def fail(job: Job) -> None:
    end(begin(job), State.FAILED)


def cancel(job: Job) -> None:
    verbs.cancel(job.id)


@pytest.mark.parametrize("how", [fail, cancel])
def test_depends_on_parent_not_completed_fails_all_descendants(how):
    parent = new_job()
    child = new_job(depends_on=[parent, new_job()])
    grandchild = new_job(depends_on=[child])
    how(parent)
    for job in (child, grandchild):
        job.refresh_from_db()
        assert (job.state, job.error_code, job.unfinished_parents) == (State.FAILED, "parent_failed", 0)
        assert Written.objects.get(job_id=job.id.hex).state == "failed"


@pytest.mark.parametrize("how", [fail, cancel])
def test_depends_on_failed_parent_fails_child_immediately(how):
    parent = new_job()
    how(parent)
    child = new_job(depends_on=[parent])
    assert (child.state, child.error_code) == (State.FAILED, "parent_failed")
    assert position(child) is None


def test_depends_on_parent_completed_leaves_cancelled_child():
    parent = new_job()
    child = new_job(depends_on=[parent])
    verbs.cancel(child.id)
    assert end(begin(parent)).freed == []
    child.refresh_from_db()
    assert child.state == State.CANCELLED


def test_depends_on_second_parent_completed_leaves_failed_child():
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    verbs.cancel(parents[0].id)
    assert end(begin(parents[1])).freed == []
    child.refresh_from_db()
    assert child.state == State.FAILED
    assert Written.objects.filter(job_id=child.id.hex).count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_depends_on_parent_ending_concurrently_frees_child(round_):
    parent = new_job()
    run = begin(parent)
    recorded, submission = run_concurrently(
        lambda: end(run), lambda: submit("test.echo", {}, depends_on=[parent])
    )
    child = Job.objects.get(id=submission.job.id)
    assert (child.state, child.unfinished_parents) == (State.WAITING, 0)
    assert recorded.freed == [child] or position(child), "one of the two enqueues it"


@pytest.mark.parametrize("round_", range(5))
def test_depends_on_parents_ending_concurrently_free_child_once(round_):
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    runs = [begin(parent) for parent in parents]
    outcomes = run_concurrently(*[lambda run=run: end(run) for run in runs])
    assert [job for outcome in outcomes for job in outcome.freed] == [child]


def test_give_up_long_chain_fails_all_without_recursion():
    first = job = new_job("test.noop")
    for _ in range(150):
        job = submit("test.noop", {}, depends_on=[job]).job
    verbs.cancel(first.id)
    assert Job.objects.filter(state=State.FAILED).count() == 150


def test_depends_on_in_real_workers_runs_child_after_parent(qcluster):
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


def test_settle_nothing_runs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert dependencies.settle([]) == []


def test_settle_repeated_end_does_not_free_child_of_two_parents():
    parents = [new_job("test.noop"), new_job("test.noop")]
    new_job(depends_on=parents)
    run = begin(parents[0])
    end(run)
    assert end(run).freed == []


def test_settle_frees_child_with_own_delay():
    parent = new_job()
    child = new_job(depends_on=[parent], delay=60)
    assert end(begin(parent)).freed == [child]


def test_attach_parent_given_twice_counts_once():
    parent = new_job()
    assert new_job(depends_on=[parent, parent]).unfinished_parents == 1


def test_link_child_of_failed_parent_calls_hook():
    parent = new_job()
    end(begin(parent), State.FAILED)
    child = new_job(depends_on=[parent])
    assert Written.objects.get(job_id=child.id.hex).state == "failed"
