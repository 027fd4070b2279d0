"""A job's life as bars on a line: when it waited, who tried, how each try ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from queueing.models import FailedAttempt, Job
from queueing.states import State

#: Of a line this wide, in the units of the drawing.
WIDTH = 1000
#: The least that can be seen.
_LEAST = 4


@dataclass
class Span:
    """A stretch of a job's life."""

    name: str
    look: str
    """A CSS class: `waited`, `failed`, `given-back`, `completed`, `running`, `cancelled`."""
    start: datetime
    end: datetime
    attempt: FailedAttempt | None = None
    x: int = 0
    width: int = 0
    """Of the drawing."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(0.0, (self.end - self.start).total_seconds())


def spans(job: Job) -> list[Span]:
    """From its submission to its end, or to now."""
    found: list[Span] = []
    at = job.created_at
    for attempt in job.failed_attempts.all():
        found += _waited(at, attempt.started_at)
        look = "failed" if attempt.outcome in ("failed", "timeout", "stalled") else "given-back"
        name = f"Attempt {attempt.number}: {attempt.outcome}"
        found.append(Span(name, look, attempt.started_at, attempt.ended_at, attempt))
        at = attempt.ended_at
    found += _latest(job, at)
    _draw(found)
    return found


def _latest(job: Job, at: datetime) -> list[Span]:
    """What came after the attempts that are on record apart."""
    end = job.finished_at or timezone.now()
    runs = (
        job.state in (State.ACTIVE, State.COMPLETED) and job.started_at is not None and job.started_at >= at
    )
    if not runs or job.started_at is None:
        return _waited(at, end, "Waited" if job.is_finished else f"Is {job.state}")
    look = "running" if job.state == State.ACTIVE else "completed"
    run = Span(f"Attempt {job.attempts}: {look}", look, job.started_at, end)
    return [*_waited(at, job.started_at), run]


def _waited(start: datetime, end: datetime, name: str = "Waited") -> list[Span]:
    return [Span(name, "waited", start, end)] if end > start else []


def _draw(found: list[Span]) -> None:
    if not found:
        return
    first = found[0].start
    whole = max(0.001, (found[-1].end - first).total_seconds())
    for span in found:
        span.x = min(WIDTH - _LEAST, round((span.start - first).total_seconds() / whole * WIDTH))
        span.width = max(_LEAST, round(span.seconds / whole * WIDTH))


def facts(job: Job) -> list[tuple[str, Any]]:
    """What anybody who may see jobs is told of it."""
    return [
        ("State", job.state),
        ("Kind", job.kind),
        ("Queue", f"{job.queue}, priority {job.priority}"),
        ("Owner", job.owner or "the system"),
        ("Request", job.request_id or "–"),
        ("Attempts", f"{job.attempts} of {job.max_attempts}"),
        ("Runs", f"{job.run_count}" + (f", {job.stalls} cut short by a lost worker" if job.stalls else "")),
        ("Submitted", job.created_at),
        ("Due", job.run_at or "–"),
        ("Began", job.started_at or "–"),
        ("Ended", job.finished_at or "–"),
        ("Error", job.error_code or "–"),
    ]
