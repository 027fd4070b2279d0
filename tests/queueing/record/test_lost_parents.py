"""E17: jobs whose parents were deleted end or run. None waits without end, and no commit fails."""

import pytest
from django.conf import settings as project
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queueing.control import verbs
from queueing.models import Dependency, Job
from queueing.record.lost_parents import settle_lost_parents
from queueing.record.pruning import prune
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written
from tests.queueing.testapp.releases import web_of
from tests.queueing.worker.test_end_to_end import finished

from .lifecycle import begin, end, new_job
from .test_dependencies_after import in_line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def pruned(job: Job) -> None:
    """Complete the job, and prune it."""
    end(begin(job), State.COMPLETED)
    with override_settings(QUEUEING=project.QUEUEING | {"KEEP_DAYS": -1}):
        assert prune() == 1


def deleted_by_sql(job: Job) -> None:
    with connection.cursor() as cursor:
        raw = job.id if connection.vendor == "postgresql" else job.id.hex
        cursor.execute("DELETE FROM queueing_job WHERE id = %s", [raw])


def deleted_by_older_code(job: Job) -> None:
    """Delete the job as releases did that deleted its links with it."""
    Dependency.objects.filter(parent=job).delete()
    deleted_by_sql(job)


BY_ORM = [lambda job: Job.objects.filter(id=job.id).delete(), lambda job: Job.objects.get(id=job.id).delete()]


@pytest.mark.parametrize("remove", [lambda job: verbs.remove(job.id), pruned, *BY_ORM])
def test_submit_with_parents_that_are_gone_commits_and_is_clear(remove):
    parent = new_job()
    remove(parent)
    with transaction.atomic():
        needs = submit("test.echo", {}, depends_on=[parent]).job
        follows = submit("test.echo", {}, after=[parent]).job
    assert (needs.state, needs.error_code) == (State.FAILED, "parent_deleted")
    assert Written.objects.filter(job_id=needs.id.hex).count() == 1, "its end hook ran"
    assert follows.state == State.WAITING
    assert in_line(follows)


def test_jobs_whose_links_were_deleted_with_the_parent_fail():
    parent = new_job()
    child = new_job(after=[parent])
    deleted_by_older_code(parent)
    assert settle_lost_parents().failed == [child]


def test_completed_parent_that_is_deleted_counts_as_completed():
    done, other = new_job(), new_job()
    child = new_job(depends_on=[done, other])
    end(begin(done), State.COMPLETED)
    Job.objects.filter(id=done.id).delete()
    assert settle_lost_parents() == ([], [])
    assert end(begin(other), State.COMPLETED).freed == [child]


def test_job_retried_after_a_parent_that_it_needed_waits_for_its_end():
    parent = new_job()
    child = new_job(depends_on=[parent])
    verbs.cancel(parent.id)
    verbs.retry(parent.id)
    verbs.cancel(child.id)
    child = verbs.retry(child.id, after=[Job.objects.get(id=parent.id)])
    assert child.unfinished_parents == 1
    assert end(begin(parent), State.FAILED).freed == [child]


def test_job_of_an_unknown_kind_is_failed_by_a_process_that_knows_its_end_hook(valkey):
    """K1: the parent ends in a process of an older release."""
    parent = new_job()
    with web_of("new"):
        child = submit("release.added", {}, depends_on=[parent]).job
    end(begin(parent), State.FAILED)
    child.refresh_from_db()
    assert child.state == State.DELAYED
    assert settle_lost_parents() == ([], [])
    with web_of("new"):
        assert settle_lost_parents().failed == [child]
    child.refresh_from_db()
    assert child.error_code == "parent_failed"
    assert valkey.client.lrange("note:endings", 0, -1) == [f"{child.id.hex}:failed"]


def test_deleted_parent_with_real_workers(qcluster):
    parent = submit("test.noop", {}, delay=3600).job
    needs, follows = (
        submit("test.echo", {}, owner="alice", depends_on=[parent]).job,
        submit("test.echo", {}, owner="alice", after=[parent]).job,
    )
    Job.objects.filter(id=parent.id).delete()
    qcluster()
    assert finished(needs).error_code == "parent_deleted"
    assert finished(follows).state == State.COMPLETED


FATES = {
    "waits": lambda job: None,
    "completes": lambda job: end(begin(job), State.COMPLETED),
    "fails": lambda job: end(begin(job), State.FAILED),
    "is cancelled": lambda job: verbs.cancel(job.id),
    "is removed": lambda job: verbs.remove(job.id),
    "is deleted": deleted_by_sql,
    "completes, is deleted": lambda job: (end(begin(job), State.COMPLETED), BY_ORM[0](job)),
}
PARENTS = st.lists(st.tuples(st.sampled_from(sorted(FATES)), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(PARENTS)
def test_job_ends_or_runs_as_its_parents_decide(parents):
    """The child fails if a needed parent did not complete, waits if one is unfinished, and runs else."""
    jobs = [new_job() for _ in parents]
    needed = [job for job, (_, any_outcome) in zip(jobs, parents, strict=True) if not any_outcome]
    child = new_job(depends_on=needed, after=[job for job in jobs if job not in needed])
    for job, (fate, _) in zip(jobs, parents, strict=True):
        FATES[fate](job)
    settle_lost_parents()
    child.refresh_from_db()
    if any(not any_outcome and "completes" not in fate and fate != "waits" for fate, any_outcome in parents):
        assert child.state == State.FAILED
    elif any(fate == "waits" for fate, _ in parents):
        assert child.state == State.DELAYED
    else:
        assert child.state == State.WAITING
