"""A parent that is retried revives the jobs that failed only because of it."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State

from .lifecycle import begin, end, new_job
from .test_dependencies import cancel, fail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def refreshed(job: Job) -> tuple[str, int, str]:
    """Return the job's state, unfinished parents and error code from the database."""
    job.refresh_from_db()
    return job.state, job.unfinished_parents, job.error_code


@pytest.mark.parametrize("how", [fail, cancel])
def test_revive_descendants_wait_refreshed(how):
    parent = new_job()
    child = new_job(depends_on=[parent])
    grandchild = new_job(depends_on=[child])
    how(parent)

    verbs.retry(parent.id)

    assert refreshed(child) == refreshed(grandchild) == (State.DELAYED, 1, "")
    assert child.finished_at is None
    assert end(begin(parent)).freed == [child]
    assert end(begin(child)).freed == [grandchild]


def test_revive_child_of_another_failed_parent_stays_failed():
    parents = [new_job(), new_job()]
    child = new_job(depends_on=parents)
    for parent in parents:
        cancel(parent)

    verbs.retry(parents[0].id)
    assert refreshed(child) == (State.FAILED, 0, "parent_failed")

    verbs.retry(parents[1].id)
    assert refreshed(child) == (State.DELAYED, 2, "")


def test_revive_counts_unfinished_jobs_of_after():
    parent, before, over = new_job(), new_job(), new_job()
    child = new_job(depends_on=[parent], after=[before, over])
    fail(parent)
    end(begin(over))

    verbs.retry(parent.id)

    assert refreshed(child) == (State.DELAYED, 2, "")
    assert end(begin(parent)).freed == []
    assert end(begin(before)).freed == [child]


def test_revive_cancelled_child_stays_cancelled():
    parent = new_job()
    stopped = new_job(depends_on=[parent])
    verbs.cancel(stopped.id)
    fail(parent)

    verbs.retry(parent.id)

    assert refreshed(stopped)[0] == State.CANCELLED
    assert end(begin(parent)).freed == []
