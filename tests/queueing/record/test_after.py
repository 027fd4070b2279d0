"""`submit(after=…)`: a job that waits until others are over, however they ended."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit
from tests.support.valkey import wait_until

from .moves import at_once, begin, end, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def in_line(job: Job) -> bool:
    """Whether the schedule has it waiting."""
    found = redis_client.run(scripts.positions(job.queue, [job.id.hex]))[0]
    return bool(found and found.state == "waiting")


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_it_is_freed_by_either_outcome(state):
    first = new_job()
    second = new_job(after=[first])
    assert (second.state, second.unfinished_parents) == (State.DELAYED, 1)
    assert not in_line(second)
    assert end(begin(first), state).freed == [second]


def test_a_cancel_puts_it_in_line_at_once():
    first = new_job()
    second = new_job(after=[first])
    verbs.cancel(first.id)
    assert in_line(second)


def test_a_removed_job_is_not_waited_for():
    first = new_job()
    second, needs = new_job(after=[first]), new_job(depends_on=[first])
    verbs.remove(first.id)
    assert in_line(second)
    needs.refresh_from_db()
    assert needs.error_code == "parent_failed"


def test_what_is_over_already_is_not_waited_for():
    first = new_job()
    verbs.cancel(first.id)
    assert in_line(new_job(after=[first]))


def test_it_waits_for_all_of_them():
    jobs = [new_job() for _ in range(3)]
    last = new_job(after=jobs)
    verbs.cancel(jobs[1].id)
    assert end(begin(jobs[0]), State.FAILED).freed == []
    assert end(begin(jobs[2])).freed == [last]


def test_a_child_that_fails_with_its_parent_frees_what_comes_after_it():
    parent = new_job()
    child = new_job(depends_on=[parent])
    last = new_job(after=[child])
    assert end(begin(parent), State.FAILED).freed == [last]


def test_needing_a_job_is_more_than_coming_after_it():
    parent = new_job()
    child = new_job(depends_on=[parent], after=[parent])
    verbs.cancel(parent.id)
    child.refresh_from_db()
    assert child.state == State.FAILED


def test_one_tried_again_can_be_made_to_wait_for_others():
    first, second, third = new_job(), new_job(), new_job()
    verbs.cancel(first.id)
    end(begin(third))
    again = verbs.retry(first.id, after=[second, third])
    assert (again.state, again.unfinished_parents) == (State.DELAYED, 1)
    assert not in_line(again)
    assert end(begin(second)).freed == [again]


def test_one_tried_again_while_it_waited_waits_for_nobody_else():
    first, second, third = new_job(), new_job(), new_job()
    job = new_job(after=[first])
    verbs.cancel(job.id)
    assert verbs.retry(job.id, after=[second]).unfinished_parents == 1
    verbs.cancel(job.id)
    assert verbs.retry(job.id, after=[second, third]).unfinished_parents == 2
    assert end(begin(first)).freed == []
    assert end(begin(second)).freed == []
    assert end(begin(third)).freed == [job]


def test_an_end_after_a_retry_does_not_count_again():
    first, second = new_job(), new_job()
    last = new_job(after=[first, second])
    verbs.cancel(first.id)
    verbs.retry(first.id)
    verbs.cancel(first.id)
    last.refresh_from_db()
    assert (last.state, last.unfinished_parents) == (State.DELAYED, 1)
    assert end(begin(second)).freed == [last]


@pytest.mark.parametrize("round_", range(5))
def test_one_submitted_as_the_other_is_cancelled_runs(round_):
    first = new_job()
    _, submission = at_once(lambda: verbs.cancel(first.id), lambda: submit("test.echo", {}, after=[first]))
    assert in_line(submission.job)


def test_a_chain_runs_in_order_in_real_workers(qcluster):
    qcluster()
    first = submit("test.flaky", {"fail": 9, "how": "permanent"}).job
    second = submit("test.sleep", {"seconds": 0.1}, after=[first]).job
    third = submit("test.echo", {}, after=[first, second]).job
    wait_until(lambda: Job.objects.get(pk=third.pk).state == State.COMPLETED, "the last")
    rows = [Job.objects.get(pk=job.pk) for job in (first, second, third)]
    assert [row.state for row in rows] == [State.FAILED, State.COMPLETED, State.COMPLETED]
    assert rows[0].finished_at <= rows[1].started_at
    assert rows[1].finished_at <= rows[2].started_at
