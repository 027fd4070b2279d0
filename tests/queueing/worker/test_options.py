"""Options in real workers: attempts, timeouts, backoff and deadlines of a kind and of a job."""

import pytest
from django.utils import timezone

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import scripts
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written
from tests.queueing.testapp.releases import web_of
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def test_options_of_kinds_and_jobs_hold_in_workers(qcluster):
    qcluster()
    jobs = {
        "kind's timeout": submit("options.kind", {"seconds": 60}, attempts=1),
        "job's timeout": submit("options.kind", {"seconds": 1}, attempts=1, timeout=30),
        "extended": submit("options.kind", {"seconds": 1, "extend": 30}, attempts=1),
        "plain": submit("options.plain", {}, attempts=1),
        "plain extended": submit("options.plain", {"extend": 30}, attempts=1),
        "given up": submit("options.kind", {"how": "lookup"}),
        "backoff fails": submit("options.kind", {"how": "zero"}),
        "backoff is no number": submit("options.kind", {"how": "nan"}),
        "kind's attempts": submit("options.kind", {"how": "error"}),
        "job's backoff": submit("options.kind", {"how": "lookup"}, attempts=2, backoff={"type": "none"}),
        "permanent": submit("options.kind", {"how": "permanent"}),
    }
    ended = {name: finished(submission.job) for name, submission in jobs.items()}
    assert {name: (job.state, job.attempts, job.error_code) for name, job in ended.items()} == {
        "kind's timeout": (State.FAILED, 1, "timeout"),
        "job's timeout": (State.COMPLETED, 1, ""),
        "extended": (State.COMPLETED, 1, ""),
        "plain": (State.FAILED, 1, "timeout"),
        "plain extended": (State.COMPLETED, 1, ""),
        "given up": (State.FAILED, 1, "LookupError"),
        "backoff fails": (State.FAILED, 5, "ZeroDivisionError"),
        "backoff is no number": (State.FAILED, 5, "ValueError"),
        "kind's attempts": (State.FAILED, 5, "ValueError"),
        "job's backoff": (State.FAILED, 2, "LookupError"),
        "permanent": (State.FAILED, 1, "error"),
    }


def test_expired_jobs_fail_without_a_run_whether_a_worker_claims_them_or_not(qcluster, valkey):
    claimed, blocked = submit("options.kind", {}, expires=timezone.now()).job, submit("options.kind", {}).job
    parent = submit("options.kind", {}, delay=3600).job
    child = submit("options.kind", {}, expires=0.01, depends_on=[parent]).job
    delayed = submit("options.kind", {}, delay=3600).job
    Job.objects.filter(id=delayed.id).update(expires_at=timezone.now())  # as if the clock had jumped
    follower = submit("options.kind", {}, after=[delayed]).job
    qcluster()
    for job in (claimed, child, delayed):
        assert (finished(job).state, job.error_code, job.run_count) == (State.FAILED, "expired", 0)
    assert finished(blocked).state == finished(follower).state == State.COMPLETED
    assert Written.objects.filter(text="expired").count() == 3, "the end hook runs"
    wait_until(lambda: valkey.client.hkeys("{buddy}:jobs") == [parent.id.hex], "Redis to forget them")


def test_expired_job_of_another_release_waits_for_a_worker_that_can_call_its_end_hook(qcluster, valkey):
    qcluster(TEST_RELEASE="old")
    with web_of("new"):
        job = submit("release.added", {}, expires=timezone.now()).job
    unable = scripts.key("unable")
    wait_until(lambda: valkey.client.hexists(unable, job.id.hex), "the job to be parked")
    job.refresh_from_db()
    assert (job.state, job.run_count) == (State.WAITING, 0)
    qcluster(TEST_RELEASE="new")
    assert (finished(job).error_code, job.run_count) == ("expired", 0)
    assert valkey.client.lrange("note:endings", 0, -1) == [f"{job.id.hex}:failed"]


def test_retry_by_a_person_removes_the_deadline_that_has_passed(qcluster):
    qcluster()
    job = finished(submit("options.kind", {}, expires=timezone.now()).job)
    assert job.error_code == "expired"
    assert finished(verbs.retry(job.id)).state == State.COMPLETED
    job.refresh_from_db()
    assert job.expires_at is None
