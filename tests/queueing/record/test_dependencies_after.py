"""`submit(after=…)`: a job waits until others are finished, with any outcome."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit
from tests.support.valkey import wait_until

from .lifecycle import begin, end, new_job, run_concurrently

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def in_line(job: Job) -> bool:
    """Return whether the schedule has the job in line."""
    found = redis_client.run(scripts.positions(job.queue, [job.id.hex]))[0]
    return bool(found and found.state == "waiting")


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_after_parent_ends_with_any_outcome_frees_job(state):
    first = new_job()
    second = new_job(after=[first])
    assert (second.state, second.unfinished_parents) == (State.DELAYED, 1)
    assert not in_line(second)
    assert end(begin(first), state).freed == [second]


def test_after_parent_cancelled_enqueues_job_immediately():
    first = new_job()
    second = new_job(after=[first])
    verbs.cancel(first.id)
    assert in_line(second)


def test_after_parent_removed_enqueues_job():
    first = new_job()
    second, needs = new_job(after=[first]), new_job(depends_on=[first])
    verbs.remove(first.id)
    assert in_line(second)
    needs.refresh_from_db()
    assert needs.error_code == "parent_failed"


def test_after_finished_parent_does_not_wait():
    first = new_job()
    verbs.cancel(first.id)
    assert in_line(new_job(after=[first]))


def test_after_several_parents_waits_for_all():
    jobs = [new_job() for _ in range(3)]
    last = new_job(after=jobs)
    verbs.cancel(jobs[1].id)
    assert end(begin(jobs[0]), State.FAILED).freed == []
    assert end(begin(jobs[2])).freed == [last]


def test_after_job_failed_by_its_parent_frees_next_job():
    parent = new_job()
    child = new_job(depends_on=[parent])
    last = new_job(after=[child])
    assert end(begin(parent), State.FAILED).freed == [last]


def test_after_and_depends_on_same_parent_requires_completion():
    parent = new_job()
    child = new_job(depends_on=[parent], after=[parent])
    verbs.cancel(parent.id)
    child.refresh_from_db()
    assert child.state == State.FAILED


def test_retry_with_after_waits_for_given_jobs():
    first, second, third = new_job(), new_job(), new_job()
    verbs.cancel(first.id)
    end(begin(third))
    again = verbs.retry(first.id, after=[second, third])
    assert (again.state, again.unfinished_parents) == (State.DELAYED, 1)
    assert not in_line(again)
    assert end(begin(second)).freed == [again]


def test_retry_of_waiting_job_waits_for_given_jobs_only():
    first, second, third = new_job(), new_job(), new_job()
    job = new_job(after=[first])
    verbs.cancel(job.id)
    assert verbs.retry(job.id, after=[second]).unfinished_parents == 1
    verbs.cancel(job.id)
    assert verbs.retry(job.id, after=[second, third]).unfinished_parents == 2
    assert end(begin(first)).freed == []
    assert end(begin(second)).freed == []
    assert end(begin(third)).freed == [job]


def test_after_parent_retried_and_ended_again_counts_once():
    first, second = new_job(), new_job()
    last = new_job(after=[first, second])
    verbs.cancel(first.id)
    verbs.retry(first.id)
    verbs.cancel(first.id)
    last.refresh_from_db()
    assert (last.state, last.unfinished_parents) == (State.DELAYED, 1)
    assert end(begin(second)).freed == [last]


@pytest.mark.parametrize("round_", range(5))
def test_after_parent_cancelled_concurrently_enqueues_job(round_):
    first = new_job()
    _, submission = run_concurrently(
        lambda: verbs.cancel(first.id), lambda: submit("test.echo", {}, after=[first])
    )
    assert in_line(submission.job)


def test_after_chain_in_real_workers_runs_in_order(qcluster):
    qcluster()
    first = submit("test.flaky", {"fail": 9, "how": "permanent"}).job
    second = submit("test.sleep", {"seconds": 0.1}, after=[first]).job
    third = submit("test.echo", {}, after=[first, second]).job
    wait_until(lambda: Job.objects.get(pk=third.pk).state == State.COMPLETED, "the last")
    rows = [Job.objects.get(pk=job.pk) for job in (first, second, third)]
    assert [row.state for row in rows] == [State.FAILED, State.COMPLETED, State.COMPLETED]
    assert rows[0].finished_at <= rows[1].started_at
    assert rows[1].finished_at <= rows[2].started_at
