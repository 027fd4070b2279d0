"""Calling a kind's `on_end` hook, within the transaction that records the end of a job."""

from queueing.kinds import Ending
from queueing.models import Job

from .run import Result, as_result


def run_end_hook(job: Job) -> None:
    """Call the hook for a finished row that was not finished by a run's result."""
    result = as_result(job)
    if result.run.kind and (hook := result.run.kind.on_end):  # no hook of a kind that no longer exists
        hook(ending_of(result, timed=False))


def ending_of(result: Result, *, timed: bool = True) -> Ending:
    """Return what `on_end` is given; with `timed`, also how long the attempt waited and ran."""
    run = result.run
    return Ending(
        job_id=run.id,
        owner=run.owner,
        args=run.args,
        state=result.state,
        result=result.value,
        error=result.error,
        text=result.text,
        kind=run.kind_name,
        code=result.code,
        waited=run.waited if timed else None,
        ran=result.ran if timed else None,
    )
