"""The rows of the engine: jobs, most of them finished, with their history; statistics; the audit log."""

from datetime import timedelta

from django.utils import timezone

from queueing.models import AuditEntry, Dependency, FailedAttempt, Job, LogLine, QueueMinute
from queueing.states import State

from .rows import SPAN, Sequence, choose, false, moment, repeat

#: Jobs that wait, and jobs that run.
WAITING, ACTIVE = 500, 20
_MINUTES = 2 * 24 * 60
_WORKERS = 2


def fill(jobs: Sequence, model: Job, owner: str, questions: int) -> None:
    """Copy the stored job `model`; the first `questions` are of its kind, and `owner` is SQL."""
    kind = choose(
        {f"nth <= {questions}": f"'{model.kind}'", "mod(nth, 4) = 0": "'test.echo'"}, "'test.write'"
    )
    queue = choose({f"nth <= {questions}": f"'{model.queue}'", "mod(nth, 4) = 0": "'other'"}, "'analytics'")
    failed = "mod(nth, 50) = 7"
    repeat(
        model,
        jobs.rows,
        id=jobs.id(),
        kind=kind,
        queue=queue,
        owner=owner,
        request_id=choose({f"nth <= {questions}": "'r' || nth"}, "''"),
        state=choose({failed: "'failed'", "mod(nth, 50) = 8": "'cancelled'"}, "'completed'"),
        attempts="1",
        run_count="1",
        has_dependents=false(),
        token="'c/w/' || nth",
        created_at=jobs.at(),
        started_at=jobs.at(after=1),
        finished_at=jobs.at(after=5),
        error_code=choose({failed: "'timeout' || mod(nth, 3)"}, "''"),
        error=choose({failed: "'It took too long.'"}, "''"),
    )
    _unfinished(model, owner)
    _history(jobs, model, failed)
    _statistics(model)


def _unfinished(model: Job, owner: str) -> None:
    seconds = Sequence(SPAN)
    for state, count, part in ((State.WAITING, WAITING, "2"), (State.ACTIVE, ACTIVE, "3")):
        lately = f"{SPAN} - {count} + nth"
        repeat(
            model,
            count,
            id=seconds.id(lately, part),
            owner=owner,
            request_id="''",
            state=f"'{state}'",
            created_at=seconds.at(lately),
            started_at=seconds.at(lately) if state == State.ACTIVE else "NULL",
        )


def _history(jobs: Sequence, model: Job, failed: str) -> None:
    now = timezone.now()
    attempt = FailedAttempt.objects.create(
        job=model,
        number=1,
        outcome="timeout",
        started_at=now,
        ended_at=now,
        worker="c/w",
        code="timeout",
        error="x",
    )
    times = {"started_at": jobs.at(after=1), "ended_at": jobs.at(after=5)}
    for _ in range(2):
        repeat(attempt, jobs.rows, where=failed, job_id=jobs.id(), **times)
    line = LogLine.objects.create(job=model, at=now, line="Read 40 pages.")
    repeat(line, jobs.rows, where="mod(nth, 20) = 3", job_id=jobs.id(), at=jobs.at(after=2))
    link = Dependency.objects.create(job=model, parent=model, any_outcome=True)
    where = "mod(nth, 10) = 5"
    repeat(link, jobs.rows, where=where, job_id=jobs.id(), parent_id=jobs.id("nth - 1"))
    for row in (attempt, line, link):
        row.delete()
    entry = AuditEntry.objects.create(actor="model", action="retry", queue=model.queue, job_id=model.id)
    repeat(entry, jobs.rows // 50, job_id=jobs.id(), at=jobs.at())


def _statistics(model: Job) -> None:
    """Store a row for each minute, queue and worker of two days, and one for each hour before."""
    minute = timezone.now().replace(second=0, microsecond=0)
    spread = {str(bucket): 3 for bucket in range(20, 32)}
    row = QueueMinute(queue=model.queue, start=minute, worker="model", completed=40, failed=1)
    row.waits = row.durations = row.first_texts = spread
    row.save()
    queue = choose({"mod(nth, 2) = 0": "'analytics'"}, f"'{model.queue}'")
    each = 2 * _WORKERS
    start = moment(f"{minute.timestamp():.0f} - 60 * CAST(nth / {each} AS BIGINT)")
    worker = f"'w' || mod(CAST(nth / 2 AS BIGINT), {_WORKERS})"
    repeat(row, _MINUTES * each, start=start, queue=queue, worker=worker)
    row.pk, row.seconds, row.worker = None, 3600, "*"
    row.start = minute.replace(minute=0) - timedelta(days=2)
    row.save()
    start = moment(f"{row.start.timestamp():.0f} - 3600 * CAST(nth / 2 AS BIGINT)")
    repeat(row, 88 * 24 * 2, start=start, queue=queue, where="nth > 1")
