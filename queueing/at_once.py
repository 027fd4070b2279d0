"""Work that is done already when it is submitted: recorded and told like any other, without a line, a
slot or a worker. For results that were known before, such as cached ones."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction

from . import events
from .ending import tell_end
from .insert import insert
from .models import Job
from .states import State
from .submit import Submission, build, submitted_before


def submit_completed(
    kind: str,
    args: dict[str, Any],
    result: Any,
    *,
    owner: str = "",
    request_id: str = "",
    meta: dict[str, str] | None = None,
    rows: Callable[[Job], None] | None = None,
) -> Submission:
    """Record a job of `kind` that has completed with the JSON `result`, in its one and only run.

    In one transaction (the caller's, if there is one): the job's row, `rows(job)` for what the caller
    wants to be there before its end, and the kind's `on_end`. After the commit its events go out in
    order: queued, started, a delta of the whole `response`, completed. Full and paused queues and an
    absent Redis do not matter to it.

    Raises `BadSubmission` naming the field; then nothing was stored.
    """
    if request_id and (known := submitted_before(owner, request_id)):
        return Submission(known, created=False)
    job = build(kind, args, owner=owner, request_id=request_id, meta=meta)
    job.state, job.result = State.COMPLETED, result
    job.runs = job.attempts = 1
    job.started_at = job.finished_at = job.created_at
    try:
        with transaction.atomic():
            insert([job])
            if rows:
                rows(job)
            tell_end(job)
    except IntegrityError:
        if request_id and (known := submitted_before(owner, request_id)):
            return Submission(known, created=False)  # the same request, at the same moment
        raise
    transaction.on_commit(lambda: async_to_sync(_tell)(job))
    return Submission(job, created=True)


async def _tell(job: Job) -> None:
    for event in events.course(job):
        await events.emit(job.owner, event)
