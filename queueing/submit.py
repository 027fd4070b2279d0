"""Accept jobs: check them, store them in the caller's transaction, schedule them after the commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack
from uuid import UUID

from django.db import transaction

from . import options as job_options
from . import tracing
from .conf import get_queue
from .errors import BadSubmission, Rejected
from .events import delivery, messages
from .events.waits import standing
from .kinds import find_kind
from .limits import backpressure
from .models import Job, JobTag
from .options import GivenOptions
from .record import dependencies, unique_jobs
from .record.bulk_insert import insert, insert_unless_known
from .record.end_hooks import run_end_hook
from .record.job_spec import JobSpec, checked_json, list_of_jobs
from .schedule.enqueue import enqueue_all, postpone
from .states import State
from .unique import Unique

#: How often a unique job is tried to be stored whose key others take and give free meanwhile.
_TRIES = 20


@dataclass(slots=True)
class Submission:
    """The outcome of `submit` and `submit_completed`."""

    job: Job
    created: bool
    """False when the owner had already submitted this request id, or another job has the unique key: `job` is
    that one."""
    conflict: str = ""
    """What was done because another job has the unique key: `return`, `replace` or `latest`."""
    queued_event: messages.Event | None = field(default=None, compare=False)
    """The `queued` event that its clients got, with position and expected wait; None before the commit or
    without owner."""


def submit(
    kind: str,
    args: dict[str, Any],
    *,
    owner: str = "",
    share: str = "",
    request_id: str = "",
    priority: int | None = None,
    delay: float = 0.0,
    meta: dict[str, str] | None = None,
    depends_on: Sequence[Job] = (),
    after: Sequence[Job] = (),
    job_id: UUID | None = None,
    unique: Unique | None = None,
    **options: Unpack[GivenOptions],
) -> Submission:
    """Accept one job of `kind` with JSON `args`.

    Called inside a transaction, the job exists if that commits, together with the caller's own rows.
    Owners who have the same `share` (a network, a team) get the turns of one owner in line, and take turns in
    these.
    `priority` (1 first, to 1000) defaults to the queue's; `delay` is in seconds; `meta` is repeated in
    each event. The job runs when all of `depends_on` have completed (and fails when one of them does
    not), and when all of `after` have finished, with any outcome. `job_id`, made by `new_id()`, lets the
    caller refer to the job before submitting it. `options` are `attempts`, `timeout`, `backoff`, `expires`
    and `tags` (options.py). `unique` says which other jobs mean the same work (unique.py). Without Redis the
    job is stored, and scheduled later.

    Raise `BadSubmission` naming the field, or `Rejected` when the queue or the owner has reached a limit;
    then nothing was stored.
    """
    spec = JobSpec(
        kind=kind,
        owner=owner,
        share=share,
        request_id=request_id,
        priority=priority,
        delay=delay,
        meta=meta,
        job_id=job_id,
        options=job_options.of_job(options),
        unique=unique,
    )
    return submit_spec(spec, args, depends_on, after)


def submit_spec(
    spec: JobSpec, args: dict[str, Any], depends_on: Sequence[Job] = (), after: Sequence[Job] = ()
) -> Submission:
    """Accept the job that `spec` describes, as `submit` does."""
    job = spec.build(args)
    parents, others = list_of_jobs("depends_on", depends_on), list_of_jobs("after", after)
    if (parents or others) and spec.unique and spec.unique.on_conflict != "return":
        raise BadSubmission("unique", "replace and latest take neither depends_on nor after")
    tags = spec.tags_of([job])
    submission = _once(job, lambda one, more: _store(one, parents, [*others, *more], tags), spec.unique)
    if submission.created and not submission.job.is_finished:
        transaction.on_commit(lambda: _enqueue(submission))
    return submission


def _once(job: Job, store: unique_jobs.Store, unique: Unique | None = None) -> Submission:
    """Store a job, unless its owner has submitted the same request id before, or another has its unique key.

    `store` returns whether the job's ids were free. The earlier job is looked for only when they were not, or
    when the queue is full: nearly all request ids are new.
    """
    for _ in range(_TRIES if unique else 1):
        refusal = None
        try:
            if store(job, ()):
                return Submission(job, created=True)
        except Rejected as exc:
            refusal = exc
        if known := _submitted_before(job):
            return Submission(known, created=False)
        if unique and (settled := unique_jobs.settle(job, unique, store)):
            return _settled(settled, unique.on_conflict)
        if refusal:
            raise refusal
    raise BadSubmission("job_id", f"{job.id} is the id of another job")


def _settled(settled: unique_jobs.Settled, conflict: str) -> Submission:
    job = settled.job
    if settled.is_postponed:
        transaction.on_commit(lambda: postpone(job))
    if not settled.created:
        event = messages.event_of(job, "deduplicated", conflict=conflict)
        transaction.on_commit(lambda: delivery.emit_sync(job.owner, event))
    return Submission(job, settled.created, conflict)


def _submitted_before(job: Job) -> Job | None:
    if not job.request_id:
        return None
    known = Job.objects.filter(owner=job.owner, request_id=job.request_id).first()
    if known and find_kind(known.kind) is not find_kind(job.kind):
        message = f"{job.request_id!r} is already the request id of a job of the kind {known.kind!r}"
        raise BadSubmission("request_id", message)
    return known


def _store(job: Job, depends_on: Sequence[Job], after: Sequence[Job], tags: Sequence[JobTag]) -> bool:
    """Store a job, and return True; or return False if one of its ids is in use."""
    backpressure.admit(get_queue(job.queue), job.owner, share=job.share)
    if not depends_on and not after and not tags:
        return insert_unless_known(job)  # one statement needs no transaction around it
    with transaction.atomic():
        if depends_on or after:
            dependencies.attach(job, depends_on, after)
        is_too_late = unique_jobs.follows(job) and not job.unfinished_parents
        if is_too_late or not insert_unless_known(job):
            transaction.set_rollback(True)
            return False
        if tags:
            JobTag.objects.bulk_create(tags)
        if depends_on or after:
            dependencies.link(job, depends_on, after)
    return True


def _enqueue(submission: Submission) -> None:
    job = submission.job
    submission.queued_event = enqueue_and_announce(job)
    tracing.submitted(job.id.hex, job.kind, job.queue, job.created_at)


def enqueue_and_announce(job: Job) -> messages.Event | None:
    """Put a committed row in line, unless it waits for other jobs; send and return its `queued` event.

    Return None for a job without owner: there is no client to notify.
    """
    if job.owner:
        event = messages.queued_event_of(job, standing.enter_line(job))
        delivery.emit_sync(job.owner, event)
        return event
    if not job.unfinished_parents:
        enqueue_all([job])
    return None


def submit_many(
    kind: str,
    many_args: Iterable[dict[str, Any]],
    *,
    owner: str = "",
    priority: int | None = None,
    **options: Unpack[GivenOptions],
) -> list[Job]:
    """Accept many jobs of one kind: a few statements for a thousand of them. `options` are as for `submit`.

    All or none are stored. Raise as `submit` does; limits are checked once, before the first.
    """
    spec = JobSpec(kind=kind, owner=owner, priority=priority, options=job_options.of_job(options))
    jobs = spec.build_many(many_args)
    if not jobs:
        return []
    backpressure.admit(get_queue(jobs[0].queue), owner, len(jobs))
    tags = spec.tags_of(jobs)
    with transaction.atomic():
        insert(jobs)
        if tags:
            JobTag.objects.bulk_create(tags, batch_size=1000)
        transaction.on_commit(lambda: enqueue_all(jobs))
    return jobs


def submit_completed(
    kind: str,
    args: dict[str, Any],
    result: Any,
    *,
    owner: str = "",
    request_id: str = "",
    meta: dict[str, str] | None = None,
    job_id: UUID | None = None,
) -> Submission:
    """Record a job of `kind` that has already completed with the JSON `result`, in its only run.

    The job's row and the kind's `on_end` are one transaction (the caller's, if there is one): what
    `on_end` needs must exist before, with a `job_id` made by `new_id()` where it refers to the job. After
    the commit the job's events go out in order: queued, started, a delta of the whole `response`,
    completed. Full and paused queues and an unavailable Redis do not affect it.

    Raise `BadSubmission` naming the field; then nothing was stored.
    """
    spec = JobSpec(kind=kind, owner=owner, request_id=request_id, meta=meta, job_id=job_id)
    job = spec.build(args)
    checked_json("result", result)
    tags = spec.tags_of([job])
    submission = _once(job, lambda *_: _store_completed(job, result, tags))
    if submission.created:
        transaction.on_commit(lambda: _announce_completed(submission))
    return submission


def _store_completed(job: Job, result: Any, tags: Sequence[JobTag]) -> bool:
    job.state, job.result, job.expires_at = State.COMPLETED, result, None
    job.run_count = job.attempts = 1
    job.started_at = job.finished_at = job.created_at
    with transaction.atomic():
        if not insert_unless_known(job):
            return False
        JobTag.objects.bulk_create(tags)
        run_end_hook(job)
    return True


def _announce_completed(submission: Submission) -> None:
    owner, events = submission.job.owner, messages.completed_events(submission.job)
    delivery.emit_many_sync(owner, events)
    submission.queued_event = events[0] if owner else None
