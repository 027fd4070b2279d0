"""Sentinels over TLS, each client with a user of few rights: failovers under load lose nothing (O2, E6)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(180)]


class Load:
    """Threads that submit jobs until the block ends."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.longest = 0.0
        self._ended = threading.Event()
        self._threads = ThreadPoolExecutor(3)

    def __enter__(self) -> "Load":
        self._running = [self._threads.submit(self._submit, f"owner-{n}") for n in range(3)]
        return self

    def _submit(self, owner: str) -> None:
        number = 0
        while not self._ended.wait(0.02):
            began, number = time.monotonic(), number + 1
            request_id = f"{owner}-{number}"
            job = submit("test.rest", {"seconds": 0.05}, owner=owner, request_id=request_id).job
            self.longest = max(self.longest, time.monotonic() - began)
            self.submitted.append(job.id.hex)
        connection.close()

    def wait_for(self, number: int) -> None:
        """Wait until this number of jobs is submitted."""
        before = len(self.submitted)
        wait_until(lambda: len(self.submitted) >= before + number, f"{number} jobs")

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for running in self._running:
            running.result()
        self._threads.shutdown()


def test_failovers_under_load_lose_and_double_no_job(secured_sentinels, qcluster):
    """The primary is killed; it comes back as a replica; then the other one is killed."""
    qcluster(), qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    with Load() as load:
        for _ in range(2):
            load.wait_for(50)
            dead = secured_sentinels.primary()
            dead.stop()
            died = time.monotonic()
            assert finished(submit("test.noop", {}, owner="bob").job).state == State.COMPLETED
            print(f"work went on after {time.monotonic() - died:.1f} s")
            assert secured_sentinels.primary() is not dead
            dead.start()
            wait_until(secured_sentinels.is_complete, "the old primary to be a replica", 60)
    print(f"{len(load.submitted)} jobs; the longest submission took {load.longest:.2f} s")
    wait_until(lambda: not Job.objects.filter(finished_at=None).exists(), "all jobs", 60)
    assert set(Job.objects.values_list("state", "attempts")) == {(State.COMPLETED, 1)}
    assert sorted(Written.objects.values_list("job_id", flat=True)) == sorted(load.submitted)


def test_wrong_password_of_the_sentinels_is_named(secured_sentinels):
    """A wrong one is not mistaken for a primary that is unavailable."""
    from queueing.schedule import discovery
    from queueing.values.redis_url import parse_redis_url

    url = parse_redis_url(secured_sentinels.url.replace("of-sentinels", "wrong"))
    with pytest.raises(discovery.redis.ConnectionError, match="invalid username-password pair"):
        discovery.primary_of(url)
