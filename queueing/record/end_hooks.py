"""Call the `on_end` hook of a kind when one of its jobs ends."""

from queueing.errors import UnknownKind
from queueing.kinds import Ending, get_kind
from queueing.models import Job
from queueing.states import State

from .run import Result


def run_end_hook(job: Job) -> None:
    """Call the hook for a finished row, within the transaction that finishes it.

    For ends that no worker's result causes. Does nothing if the kind no longer exists.
    """
    try:
        hook = get_kind(job.kind).on_end
    except UnknownKind:
        return
    if hook:
        hook(
            Ending(
                job_id=job.id.hex,
                owner=job.owner,
                args=job.args,
                state=State(job.state),
                result=job.result,
                error=job.error,
                text=job.text,
                kind=job.kind,
                code=job.error_code,
            )
        )


def ending_of(result: Result) -> Ending:
    """Return what a hook is given for the result of a run."""
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
        waited=run.waited,
        ran=result.ran,
    )
