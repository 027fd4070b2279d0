"""Short words for the record's moves, and threads that make them at the same moment."""

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
    """A submitted job whose kind has an `on_end` that writes a row."""
    return submit(kind, {}, **options).job


def begin(job: Job, token: str = "c1/w/1") -> Run:
    """A claim's attempt begins."""
    (run,) = attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], token)
    return run


def result(run: Run, state: State = State.COMPLETED, **changes: Any) -> Result:
    """How the attempt came out."""
    value = {"response": "done"} if state == State.COMPLETED else None
    fields = {"run": run, "state": state, "outcome": OUTCOMES[state], "value": value}
    return Result(**(fields | {"ended_at": timezone.now()} | changes))


def end(run: Run, state: State = State.COMPLETED, **changes: Any) -> attempts.RecordedResults:
    """The attempt's end is reported."""
    return attempts.end([result(run, state, **changes)])


def everything(job: Job) -> tuple[dict[str, Any], int, int]:
    """All the record has of a job: its row, attempts, and calls of `on_end`."""
    row = Job.objects.get(id=job.id)
    failed = FailedAttempt.objects.filter(job=job).count()
    return model_to_dict(row) | {"id": row.id}, failed, Written.objects.filter(job_id=job.id.hex).count()


def at_once(*moves: Callable[[], Any]) -> list[Any]:
    """Each move in a thread of its own, all let go at the same moment; what they return or raise."""
    gate = threading.Barrier(len(moves))

    def go(move: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        gate.wait()
        try:
            return move()
        except Exception as exc:
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(moves)) as threads:
        return list(threads.map(go, moves))


def cancelled(job: Job) -> None:
    """The claim `c1/w/1` ends by a cancel; the same for those below."""
    verbs.cancel(job.id)


def stalled_once(job: Job) -> None:
    """Its lease ran out."""
    stalled.record_stalls(get_queue(job.queue), [(job.id.hex, "c1/w/1")])


def taken_over(job: Job) -> None:
    """Its lease ran out and another runs the job."""
    stalled_once(job)
    begin(job, "c2/w/1")


def done_by_another(job: Job) -> None:
    """Its lease ran out and another completed the job."""
    stalled_once(job)
    end(begin(job, "c2/w/1"), value={"response": "the other's"})


def given_back(job: Job) -> None:
    """It was released."""
    end(present_run(job), State.WAITING, spent=False)


def retried_later(job: Job) -> None:
    """It failed and is to be tried again."""
    end(present_run(job), State.DELAYED, delay=5)


def failed_and_run_anew(job: Job) -> None:
    """It failed and a person asked for another run."""
    end(present_run(job), State.FAILED)
    verbs.retry(job.id)


def present_run(job: Job) -> Run:
    """The run that the active row stands for."""
    return as_run(Job.objects.get(id=job.id))


#: How a claim is lost.
LOSSES = [
    cancelled,
    stalled_once,
    taken_over,
    done_by_another,
    given_back,
    retried_later,
    failed_and_run_anew,
]
