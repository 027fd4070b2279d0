"""A parent that a person has tried again takes those along that failed only because of it."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State

from .moves import begin, end, new_job
from .test_dependencies import cancelled, failed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def again(job: Job) -> tuple[str, int, str]:
    job.refresh_from_db()
    return job.state, job.unfinished_parents, job.error_code


@pytest.mark.parametrize("how", [failed, cancelled])
def test_its_children_wait_for_it_again_and_theirs_for_them(how):
    parent = new_job()
    child = new_job(depends_on=[parent])
    grandchild = new_job(depends_on=[child])
    how(parent)

    verbs.retry(parent.id)

    assert again(child) == again(grandchild) == (State.DELAYED, 1, "")
    assert child.finished_at is None
    assert end(begin(parent)).freed == [child]
    assert end(begin(child)).freed == [grandchild]


def test_a_child_waits_on_while_another_it_needs_has_failed():
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    for parent in parents:
        cancelled(parent)

    verbs.retry(parents[0].id)
    assert again(child) == (State.FAILED, 0, "parent_failed")

    verbs.retry(parents[1].id)
    assert again(child) == (State.DELAYED, 2, "")


def test_what_it_only_came_after_is_counted_if_it_is_not_over():
    parent, before, over = new_job(), new_job(), new_job()
    child = new_job(depends_on=[parent], after=[before, over])
    failed(parent)
    end(begin(over))

    verbs.retry(parent.id)

    assert again(child) == (State.DELAYED, 2, "")
    assert end(begin(parent)).freed == []
    assert end(begin(before)).freed == [child]


def test_a_child_that_was_cancelled_or_failed_itself_stays_so():
    parent = new_job()
    stopped = new_job(depends_on=[parent])
    verbs.cancel(stopped.id)
    failed(parent)

    verbs.retry(parent.id)

    assert again(stopped)[0] == State.CANCELLED
    assert end(begin(parent)).freed == []
