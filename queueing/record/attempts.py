"""Record the begin and the end of attempts: one guarded statement per batch, always before Redis.

The token of the claim guards every outcome: a row that is not active under that token is not changed. All
functions are synchronous. The worker calls them on its one database thread.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from queueing.kinds import find_kind
from queueing.models import FailedAttempt, Job, LogLine
from queueing.schedule.scripts import Claimed, is_alone
from queueing.states import UNFINISHED, State

from . import dependencies, end_rows
from .end_hooks import ending_of
from .run import Result, Run

_UNFINISHED_STATES = ", ".join(f"'{state}'" for state in sorted(UNFINISHED))

#: An active row belongs to an older claim that expired, or whose worker lost the connection as it began. That
#: run does not count. If our own claim expired first, the row was started after our claim and is left alone.
_BEGIN = f"""
UPDATE queueing_job
SET state = 'active', token = %s, started_at = %s, run_at = NULL,
    attempts = attempts + CASE WHEN state = 'active' THEN 0 ELSE 1 END, run_count = run_count + 1
WHERE id IN ({{ids}}) AND state IN ({_UNFINISHED_STATES}) AND (state <> 'active' OR started_at < %s)
    AND (NOT suspect OR %s) AND (expires_at IS NULL OR expires_at > %s)
RETURNING id, kind, kind_version, owner, request_id, args, meta, run_count, attempts, max_attempts, options,
    priority, created_at
"""  # noqa: S608 (the states are ours)


class RecordedResults(NamedTuple):
    """How a batch of results was recorded."""

    won: list[Result]
    """Recorded."""
    lost: list[Result]
    """Refused because the claim had another token. Nothing was written."""
    broken: list[tuple[Result, BaseException]]
    """Their `on_end` hook raised an error. Nothing was written, and the claim still holds."""
    freed: list[Job]
    """Dependent jobs that may run now."""


def begin(jobs: Sequence[Claimed], token: str, claimed: float | None = None) -> list[Run]:
    """Record that attempts of these jobs begin under `token`, and return the jobs as runs.

    `claimed` is the time of the claim by `time.monotonic()`, now by default. A job that is missing in the
    reply is finished or deleted, was begun under a newer claim, or is a suspect, which runs alone (its entry
    in the schedule was stale), or its deadline has passed (not_started.py).
    """
    now, monotonic = timezone.now(), time.monotonic()
    claimed = monotonic if claimed is None else claimed
    claimed_at = now - timedelta(seconds=monotonic - claimed)
    adapt = connection.ops.adapt_datetimefield_value
    claims = {job.id: job for job in jobs}
    sql = _BEGIN.format(ids=", ".join(["%s"] * len(claims)))
    with connection.cursor() as cursor:
        began = adapt(now)
        cursor.execute(sql, [token, began, *sorted(claims), adapt(claimed_at), is_alone(token), began])
        rows = cursor.fetchall()
    zone = connection.timezone  # looked up once: it takes as long as half of what follows
    return [_run(row, zone, token, claims, claimed, now) for row in rows]


def _run(
    row: tuple[Any, ...],
    zone: tzinfo | None,
    token: str,
    claims: dict[str, Claimed],
    claimed: float,
    now: datetime,
) -> Run:
    raw, kind, version, owner, request_id, args, meta, number, attempts, most, options, priority, created = (
        row
    )
    job_id = raw if isinstance(raw, str) else raw.hex
    claim = claims[job_id]
    return Run(
        id=job_id,
        kind=find_kind(kind),
        kind_name=kind,
        version=version,
        queue=claim.queue,
        owner=owner,
        request_id=request_id,
        args=json.loads(args),
        meta={} if meta == "{}" else json.loads(meta),
        token=token,
        number=number,
        attempt=attempts,
        max_attempts=most,
        options=json.loads(options) if options else None,
        priority=priority,
        created_at=_aware(created, zone),
        waited=claim.waited,
        claimed=claimed,
        limited=claim.limited,
        watched=claim.watched,
        started_at=now,
    )


def _aware(value: Any, zone: tzinfo | None) -> datetime:
    """Return an aware time. SQLite returns text in the time zone of the connection, PostgreSQL a datetime."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def end(results: Sequence[Result]) -> RecordedResults:
    """Record the results of runs in one transaction.

    The `on_end` hook of each result that is recorded runs within it.
    """
    _keep_earlier_texts(results)
    plain: list[Result] = []
    hooked: list[tuple[Result, Any]] = []
    for result in results:
        if hook := _hook(result):
            hooked.append((result, hook))
        else:
            plain.append(result)
    broken: list[tuple[Result, BaseException]] = []
    with transaction.atomic():
        won, parents = end_rows.write(plain)
        for result, hook in hooked:
            try:
                with transaction.atomic():
                    written, has_dependents = end_rows.write([result])
                    if written:
                        hook(ending_of(result))
                        won.append(result)
                        parents += has_dependents
            except BaseException as exc:  # also what libraries raise to get through `except Exception`
                broken.append((result, exc))
        _store_history(won)
        freed = dependencies.settle([r for r in parents if r.state in (State.COMPLETED, State.FAILED)])
    settled = {id(r) for r in won} | {id(r) for r, _ in broken}
    return RecordedResults(won, [r for r in results if id(r) not in settled], broken, freed)


def _keep_earlier_texts(results: Sequence[Result]) -> None:
    """Give a run that ended without text, and without completing, the text of the last run that had some.

    Its owner has read it, and the job's new end must not take it away.
    """
    silent = {r.run.id: r for r in results if r.state != State.COMPLETED and r.run.number > 1 and not r.text}
    if silent:
        for job_id, text in Job.objects.filter(id__in=list(silent)).values_list("id", "text"):
            silent[job_id.hex].text = text


def _hook(result: Result) -> Any:
    """Return the kind's `on_end` if this result ends the job, else None."""
    kind = result.run.kind if result.hook else None
    return kind.on_end if kind and result.state in (State.COMPLETED, State.FAILED) else None


def _store_history(results: Sequence[Result]) -> None:
    attempts = [
        FailedAttempt(
            job_id=r.run.id,
            number=r.run.attempt,
            outcome=r.outcome,
            started_at=r.run.started_at,
            ended_at=r.ended_at,
            worker=r.run.token,
            code=r.code,
            error=r.error,
            exception=r.exception,
            traceback=r.detail,
        )
        for r in results
        if r.state != State.COMPLETED
    ]
    lines = [LogLine(job_id=r.run.id, at=at, line=line) for r in results for at, line in r.lines]
    if attempts:
        FailedAttempt.objects.bulk_create(attempts)
    if lines:
        LogLine.objects.bulk_create(lines)


def stale_claims(claims: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those of the claims (id, token) that are not active on record."""
    rows = Job.objects.filter(id__in=[job_id for job_id, _ in claims], state=State.ACTIVE)
    active = {(job_id.hex, token) for job_id, token in rows.values_list("id", "token")}
    return [claim for claim in claims if claim not in active]
