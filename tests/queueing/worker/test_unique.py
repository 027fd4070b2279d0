"""E22: unique jobs with real workers: one run at a time, and the newest arguments run last."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection

from queueing.models import Job
from queueing.states import UNFINISHED, State
from queueing.submit import submit
from queueing.unique import Unique
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)

LATEST = Unique("k", on_conflict="latest")


def put(number: int) -> bool:
    try:
        return submit("test.sleep", {"seconds": 0.02, "name": f"unique-{number}"}, unique=LATEST).created
    finally:
        connection.close()


def test_jobs_with_one_key_run_one_after_the_other_and_the_newest_arguments_last(qcluster, valkey):
    qcluster()
    qcluster()
    with ThreadPoolExecutor(4) as threads:
        created = list(threads.map(put, range(60)))
    put(99)
    wait_until(lambda: not Job.objects.filter(state__in=UNFINISHED).exists(), "all jobs to end")
    jobs = list(Job.objects.order_by("started_at"))
    assert {job.state for job in jobs} == {State.COMPLETED}
    assert sum(created) <= len(jobs) <= sum(created) + 1
    assert jobs[-1].args["name"] == "unique-99"
    for earlier, later in pairwise(jobs):
        assert earlier.finished_at <= later.started_at, "two of them ran at once"


def test_debounced_job_runs_once_with_the_newest_arguments(qcluster):
    qcluster()
    debounce = Unique("k", on_conflict="replace", max_wait=2)
    jobs = {submit("test.echo", {"text": f"text {n}"}, unique=debounce, delay=1).job.id for n in range(5)}
    assert len(jobs) == 1
    job = finished(Job.objects.get())
    assert (job.result, job.run_count) == ({"response": "text 4 "}, 1)
