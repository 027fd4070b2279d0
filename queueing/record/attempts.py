"""The record's side of each move: one guarded statement per batch, always before Redis is told.

A claim's token guards every outcome: a row that is no longer active under the token refuses it. All
functions are synchronous; the worker calls them on its one database thread.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from queueing.errors import UnknownKind
from queueing.kinds import Ending, get_kind
from queueing.models import FailedAttempt, Job, LogLine
from queueing.schedule.scripts import Claimed
from queueing.states import UNFINISHED, State

from . import dependencies
from .run import Result, Run

_OPEN = ", ".join(f"'{state}'" for state in sorted(UNFINISHED))

#: A row that is active began under a claim that has ended, else it would not have been claimed again;
#: unless we are the ones whose claim has ended, and only learn it late: then it began after our claim.
_BEGIN = f"""
UPDATE queueing_job
SET state = 'active', token = %s, started_at = %s, run_at = NULL,
    attempts = attempts + 1, run_count = run_count + 1
WHERE id IN ({{ids}}) AND state IN ({_OPEN}) AND (state <> 'active' OR started_at < %s)
RETURNING id, kind, owner, request_id, args, meta, run_count, attempts, max_attempts, priority, created_at
"""  # noqa: S608 (the states are ours)

#: The most frequent end by far, a claim's jobs that completed without a result: one statement for all.
#: They get the time of the last of them, which is milliseconds off.
_COMPLETE = """
UPDATE queueing_job
SET state = 'completed', finished_at = %s, text = '', error_code = '', error = ''
WHERE token = %s AND state = 'active' AND id IN ({ids})
"""

_END = """
UPDATE queueing_job
SET state = %s, finished_at = %s, result = %s, text = %s, error_code = %s, error = %s, run_at = %s,
    attempts = attempts - %s
WHERE id = %s AND state = 'active' AND token = %s
"""


class RecordedResults(NamedTuple):
    """What became of a batch of results."""

    won: list[Result]
    """On record now."""
    lost: list[Result]
    """Refused: the claim was no longer theirs. Nothing was written."""
    broken: list[tuple[Result, Exception]]
    """Their `on_end` raised; nothing of them was written and the claim still holds."""
    freed: list[Job]
    """Dependents that may run now."""


def begin(claimed: Sequence[Claimed], token: str, claimed_at: datetime | None = None) -> list[Run]:
    """Record that these jobs' attempts begin under `token`, claimed at `claimed_at` (now), and load them.

    Jobs missing from the answer are over (or deleted), or began under a newer claim while this one was
    on its way: the schedule had a stale entry.
    """
    now = timezone.now()
    adapt = connection.ops.adapt_datetimefield_value
    where = {job.id: job for job in claimed}
    sql = _BEGIN.format(ids=", ".join(["%s"] * len(where)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [token, adapt(now), *sorted(where), adapt(claimed_at or now)])
        rows = cursor.fetchall()
    return [_run(row, token, where, claimed_at or now, now) for row in rows]


def _run(
    row: tuple[Any, ...], token: str, where: dict[str, Claimed], claimed_at: datetime, now: datetime
) -> Run:
    raw, kind_name, owner, request_id, args, meta, number, attempts, max_attempts, priority, created = row
    job_id = raw if isinstance(raw, str) else raw.hex
    try:
        kind = get_kind(kind_name)
    except UnknownKind:
        kind = None
    return Run(
        id=job_id,
        kind=kind,
        kind_name=kind_name,
        queue=where[job_id].queue,
        owner=owner,
        request_id=request_id,
        args=json.loads(args),
        meta={} if meta == "{}" else json.loads(meta),
        token=token,
        number=number,
        attempt=attempts,
        max_attempts=max_attempts,
        priority=priority,
        created_at=_aware(created),
        waited=where[job_id].waited,
        claimed_at=claimed_at,
        limited=where[job_id].limited,
        started_at=now,
    )


def _aware(value: Any) -> datetime:
    """SQLite hands out text in UTC, PostgreSQL datetimes."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


def end(results: Sequence[Result]) -> RecordedResults:
    """Record how attempts came out, in one transaction; `on_end` runs within it, for the winners alone."""
    plain = [r for r in results if not _hook(r)]
    hooked = [r for r in results if _hook(r)]
    broken: list[tuple[Result, Exception]] = []
    with transaction.atomic():
        won = list(_write(plain))
        for result in hooked:
            try:
                with transaction.atomic():
                    if _write([result]):
                        _hook(result)(ending(result))
                        won.append(result)
            except Exception as exc:
                broken.append((result, exc))
        _keep_history(won)
        freed = dependencies.settle([r for r in won if r.state in (State.COMPLETED, State.FAILED)])
    unlucky = {id(r) for r in won} | {id(r) for r, _ in broken}
    return RecordedResults(won, [r for r in results if id(r) not in unlucky], broken, freed)


def _hook(result: Result) -> Any:
    """The kind's `on_end`, when this result is an end."""
    kind = result.run.kind if result.hook else None
    return kind.on_end if kind and result.state in (State.COMPLETED, State.FAILED) else None


def ending(result: Result) -> Ending:
    """What `on_end` is given."""
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


def _write(results: list[Result]) -> list[Result]:
    """The guarded updates; those that found their row."""
    try:
        with transaction.atomic():
            if _write_together(results) < len(results):
                raise _SomeLostError
    except _SomeLostError:
        # Which? A row cannot tell, since one that was written before looks the same. So one by one.
        return [result for result in results if _write_together([result])]
    return results


class _SomeLostError(Exception):
    """Not all rows of a batch were found."""


def _write_together(results: list[Result]) -> int:
    """The number of rows written."""
    bare: dict[str, list[Result]] = defaultdict(list)
    full: list[Result] = []
    for result in results:
        if result.state == State.COMPLETED and result.value is None:
            bare[result.run.token].append(result)
        else:
            full.append(result)
    written = 0
    with connection.cursor() as cursor:
        for token, ended in bare.items():
            sql = _COMPLETE.format(ids=", ".join(["%s"] * len(ended)))
            stamp = connection.ops.adapt_datetimefield_value(ended[-1].ended_at)
            cursor.execute(sql, [stamp, token, *(r.run.id for r in ended)])
            written += cursor.rowcount
        if full:
            cursor.executemany(_END, [_values(r) for r in full])
            written += cursor.rowcount
    return written


def _values(result: Result) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    over = result.state in (State.COMPLETED, State.FAILED)
    completed = result.state == State.COMPLETED
    delayed = result.state == State.DELAYED
    return (
        result.state.value,
        adapt(result.ended_at) if over else None,
        None if result.value is None else json.dumps(result.value),
        "" if completed else result.text,
        result.code,
        result.error,
        adapt(result.ended_at + timedelta(seconds=result.delay)) if delayed else None,
        0 if result.spent else 1,
        result.run.id,
        result.run.token,
    )


def _keep_history(results: Sequence[Result]) -> None:
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
    """Of these (id, token), those that the record does not have as active."""
    rows = Job.objects.filter(id__in=[job_id for job_id, _ in claims], state=State.ACTIVE)
    held = {(job_id.hex, token) for job_id, token in rows.values_list("id", "token")}
    return [claim for claim in claims if claim not in held]
