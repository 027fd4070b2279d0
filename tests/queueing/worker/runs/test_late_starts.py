"""Runs whose handler starts long after the claim: the limiter counts them from their start."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from queueing.kinds import get_kind
from queueing.record.run import Run
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.worker.runs import executor
from queueing.worker.runs.output_sender import OutputSender
from queueing.worker.runs.run_output import RunOutput

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

QUEUE = "test-limited"


def make_run(kind: str, *, limited: bool, late: float, **args) -> Run:
    """Return a run that was claimed `late` seconds ago."""
    now = timezone.now()
    return Run(
        id="1" * 32,
        kind=get_kind(kind),
        kind_name=kind,
        queue=QUEUE,
        owner="",
        request_id="",
        args=args,
        meta={},
        token="c/w/1",
        number=1,
        attempt=1,
        max_attempts=1,
        priority=5,
        created_at=now,
        claimed=time.monotonic() - late,
        limited=limited,
        started_at=now - timedelta(seconds=late),
    )


async def limiter_starts_after(run: Run) -> list[str]:
    """Execute the run and return the starts that the limiter counts."""
    with ThreadPoolExecutor(1) as threads:
        result = await executor.execute(run, RunOutput(run, OutputSender.for_running_loop()).context, threads)
    assert result.state == State.COMPLETED
    starts = await redis_client.aclient().zrange(scripts.queue_key(QUEUE, "limiter_starts"), 0, -1)
    await redis_client.aclose()
    return starts


@pytest.mark.parametrize(("kind", "args"), [("test.sync", {"n": 2}), ("test.noop", {})])
async def test_late_start_of_any_handler_is_counted_by_the_limiter_from_its_start(kind, args):
    run = make_run(kind, limited=True, late=5, **args)
    assert await limiter_starts_after(run) == [run.token + run.id]
    assert (timezone.now() - run.started_at).total_seconds() < 5, "its timeout counts from then, too"


# Claimed a minute from now is in time, however slow the machine is.
@pytest.mark.parametrize(("limited", "late"), [(False, 5.0), (True, -60.0)])
async def test_start_in_time_or_without_limiter_is_not_counted_again(limited, late):
    assert await limiter_starts_after(make_run("test.sync", limited=limited, late=late, n=2)) == []
