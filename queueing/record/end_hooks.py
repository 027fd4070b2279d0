"""Telling a kind's `on_end` hook of an end that no worker's result brought about."""

from queueing.errors import UnknownKind
from queueing.kinds import Ending, get_kind
from queueing.models import Job
from queueing.states import State


def run_end_hook(job: Job) -> None:
    """Call the hook for the finished row, within the transaction that finishes it."""
    try:
        hook = get_kind(job.kind).on_end
    except UnknownKind:
        return  # a kind that went away has nobody left to tell
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
