"""Steps of a job's life on record, and threads that take several steps at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection
from django.forms.models import model_to_dict
from django.utils import timezone

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.models import FailedAttempt, Job
from queueing.record import attempts
from queueing.record.run import Result, Run, as_run
from queueing.recovery import stalled
from queueing.schedule.scripts import Claimed
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written

OUTCOMES = {
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.DELAYED: "failed",
    State.WAITING: "released",
}


def new_job(kind: str = "test.echo", **options: Any) -> Job:
    """Submit a job whose kind has an `on_end` hook that writes a row."""
    return submit(kind, {}, **options).job


def begin(job: Job, token: str = "c1/w/1") -> Run:
    """Begin an attempt of the job under a claim."""
    (run,) = attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], token)
    return run


def result(run: Run, state: State = State.COMPLETED, **changes: Any) -> Result:
    """Return a result of the run."""
    value = {"response": "done"} if state == State.COMPLETED else None
    fields = {"run": run, "state": state, "outcome": OUTCOMES[state], "value": value}
    return Result(**(fields | {"ended_at": timezone.now()} | changes))


def end(run: Run, state: State = State.COMPLETED, **changes: Any) -> attempts.RecordedResults:
    """Record the end of the run."""
    return attempts.end([result(run, state, **changes)])


def snapshot(job: Job) -> tuple[dict[str, Any], int, int]:
    """Return all that the record has of a job: its row, failed attempts and calls of `on_end`."""
    row = Job.objects.get(id=job.id)
    failed = FailedAttempt.objects.filter(job=job).count()
    return model_to_dict(row) | {"id": row.id}, failed, Written.objects.filter(job_id=job.id.hex).count()


def run_concurrently(*steps: Callable[[], Any]) -> list[Any]:
    """Take each step in its own thread, all at the same moment. Return what they return or raise."""
    gate = threading.Barrier(len(steps))

    def go(step: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        gate.wait()
        try:
            return step()
        except Exception as exc:
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(go, steps))


def cancelled(job: Job) -> None:
    """End the claim `c1/w/1` by a cancel. The functions below end it in other ways."""
    verbs.cancel(job.id)


def stalled_once(job: Job) -> None:
    """Let the lease expire."""
    stalled.record_stalls(get_queue(job.queue), [(job.id.hex, "c1/w/1")])


def taken_over(job: Job) -> None:
    """Let the lease expire, and let another worker run the job."""
    stalled_once(job)
    begin(job, "c2/w/alone")


def done_by_another(job: Job) -> None:
    """Let the lease expire, and let another worker complete the job."""
    stalled_once(job)
    end(begin(job, "c2/w/alone"), value={"response": "the other's"})


def given_back(job: Job) -> None:
    """Release the run."""
    end(present_run(job), State.WAITING, spent=False)


def retried_later(job: Job) -> None:
    """Fail the attempt and retry it later."""
    end(present_run(job), State.DELAYED, delay=5)


def failed_and_retried(job: Job) -> None:
    """Fail the job, and let a person retry it."""
    end(present_run(job), State.FAILED)
    verbs.retry(job.id)


def present_run(job: Job) -> Run:
    """Return the run of the active row."""
    return as_run(Job.objects.get(id=job.id))


#: The ways in which a claim is lost.
LOSSES = [
    cancelled,
    stalled_once,
    taken_over,
    done_by_another,
    given_back,
    retried_later,
    failed_and_retried,
]
