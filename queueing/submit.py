"""Accepting work: check it, store it in the caller's transaction, schedule it after the commit."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from .conf import get_queue
from .events import messages
from .ids import new_id
from .kinds import get_kind
from .limits import backpressure
from .models import Job
from .record import dependencies
from .record.bulk_insert import insert
from .record.end_hooks import tell_end
from .record.validation import check
from .schedule.enqueue import put_all_in_schedule
from .states import State

#: A row in the order of its fields: Django makes an instance of positional values in a third of the time.
_BLANK = {field.attname: field.get_default() for field in Job._meta.concrete_fields}


class Submission(NamedTuple):
    """What `submit` hands back."""

    job: Job
    created: bool
    """False when the owner had already submitted this request id: `job` is that earlier job."""


def submit(
    kind: str,
    args: dict[str, Any],
    *,
    owner: str = "",
    request_id: str = "",
    priority: int | None = None,
    delay: float = 0.0,
    meta: dict[str, str] | None = None,
    depends_on: Sequence[Job] = (),
    after: Sequence[Job] = (),
) -> Submission:
    """Accept one job of `kind` with JSON `args`.

    Called inside a transaction, the job exists if that commits, together with the caller's own rows.
    `priority` (1 first, to 1000) defaults to the queue's; `delay` is in seconds; `meta` is repeated in
    each event. It runs when all of `depends_on` have completed (and fails when one of them does not), and
    when all of `after` are over, however they ended. Redis may be away: the job is kept and scheduled
    when it returns.

    Raises `BadSubmission` naming the field, or `Rejected` when the queue or the owner is full; then
    nothing was stored.
    """
    if request_id and (known := submitted_before(owner, request_id)):
        return Submission(known, created=False)
    job = build(kind, args, owner=owner, request_id=request_id, priority=priority, delay=delay, meta=meta)
    backpressure.admit(get_queue(job.queue), owner)
    try:
        _store(job, depends_on, after)
    except IntegrityError:
        if request_id and (known := submitted_before(owner, request_id)):
            return Submission(known, created=False)  # the same request, at the same moment
        raise
    if not job.is_finished:
        transaction.on_commit(lambda: take_place(job))
    return Submission(job, created=True)


def _store(job: Job, depends_on: Sequence[Job], after: Sequence[Job]) -> None:
    if not depends_on and not after and not (job.request_id and connection.in_atomic_block):
        insert([job])  # one statement needs no transaction around it
        return
    with transaction.atomic(savepoint=bool(job.request_id)):
        if depends_on or after:
            dependencies.attach(job, depends_on, after)
        insert([job])
        if depends_on or after:
            dependencies.link(job, depends_on, after)


def submit_many(
    kind: str, many_args: Iterable[dict[str, Any]], *, owner: str = "", priority: int | None = None
) -> list[Job]:
    """Accept many jobs of one kind: a few statements for a thousand of them.

    All or none are stored. Raises as `submit` does; limits are checked once, before the first.
    """
    jobs = [build(kind, args, owner=owner, priority=priority) for args in many_args]
    if not jobs:
        return []
    backpressure.admit(get_queue(jobs[0].queue), owner, len(jobs))
    with transaction.atomic():
        insert(jobs)
        transaction.on_commit(lambda: put_all_in_schedule(jobs))
    return jobs


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
    for event in messages.course(job):
        await messages.emit(job.owner, event)


def build(
    kind: str,
    args: dict[str, Any],
    *,
    owner: str = "",
    request_id: str = "",
    priority: int | None = None,
    delay: float = 0.0,
    meta: dict[str, str] | None = None,
) -> Job:
    """A checked, unsaved row. Raises `BadSubmission` naming the field."""
    queue = get_queue(get_kind(kind).queue)
    check(args=args, owner=owner, request_id=request_id, priority=priority, delay=delay, meta=meta or {})
    now = timezone.now()
    row = _BLANK | {
        "id": new_id(),
        "kind": kind,
        "queue": queue.name,
        "owner": owner,
        "request_id": request_id,
        "args": args,
        "meta": meta or {},
        "state": State.DELAYED if delay else State.WAITING,
        "priority": priority or queue.priority,
        "max_attempts": queue.attempts,
        "run_at": now + timezone.timedelta(seconds=delay) if delay else None,
        "created_at": now,
    }
    return Job(*row.values())


def submitted_before(owner: str, request_id: str) -> Job | None:
    """The owner's job of this request id."""
    return Job.objects.filter(owner=owner, request_id=request_id).first()


def take_place(job: Job) -> None:
    """Put a committed row in line, unless it waits for others, and tell its owner."""
    if not job.pending:
        put_all_in_schedule([job])
    if job.owner:
        messages.emit_soon(job, "queued", queue=job.queue)
