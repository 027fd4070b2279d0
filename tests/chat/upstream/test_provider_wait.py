"""The provider requests a wait while many jobs run."""

import pytest

from queueing.api import Job
from queueing.models import FailedAttempt
from tests.chat.questions import submit_question
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

JOBS, WAIT = 50, 20.0


def test_provider_wait_pauses_all_jobs_until_it_ends(workers):
    # Calls that are running when the first one is refused are refused as well.
    workers.script(
        status=429, code="rate_limit_exceeded", headers={"retry-after": str(WAIT)}, wait=0.3, times=3
    )
    for number in range(JOBS):
        submit_question(owner=f"s:{number}", companion="travel", text=f"Where to, {number}?", request_id="r")
    wait_until(lambda: Job.objects.filter(state="completed").count() == JOBS, "all to finish", timeout=90)

    refused_at = workers.requests[0].ended
    after = [request.started - refused_at for request in workers.requests if request.started > refused_at]
    assert sum(1 for seconds in after if seconds < WAIT - 0.5) <= 1
    assert len(workers.requests) == JOBS + len(FailedAttempt.objects.all())
    assert set(FailedAttempt.objects.values_list("outcome", flat=True)) == {"cooldown"}
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
