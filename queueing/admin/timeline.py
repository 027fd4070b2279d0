"""The timeline of a job: bars for waiting times and attempts, from its submission to its end."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from queueing.models import FailedAttempt, Job
from queueing.states import State

#: The width of the drawing, in its own units.
WIDTH = 1000
#: The smallest width of a bar that is visible.
_MIN_WIDTH = 4


@dataclass
class Span:
    """A bar of the timeline."""

    name: str
    style: str
    """A CSS class: `waited`, `failed`, `given-back`, `completed`, `running`, `cancelled`."""
    start: datetime
    end: datetime
    attempt: FailedAttempt | None = None
    x: int = 0
    width: int = 0

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return max(0.0, (self.end - self.start).total_seconds())


def spans(job: Job) -> list[Span]:
    """Return the bars from the submission of the job to its end, or to now."""
    found: list[Span] = []
    at = job.created_at
    for attempt in job.failed_attempts.all():
        found += _waited(at, attempt.started_at)
        style = "failed" if attempt.outcome in ("failed", "timeout", "stalled") else "given-back"
        name = f"Attempt {attempt.number}: {attempt.outcome}"
        found.append(Span(name, style, attempt.started_at, attempt.ended_at, attempt))
        at = attempt.ended_at
    found += _latest(job, at)
    _draw(found)
    return found


def _latest(job: Job, at: datetime) -> list[Span]:
    """Return the bars after the failed attempts: waiting, and the current or completed attempt."""
    end = job.finished_at or timezone.now()
    runs = (
        job.state in (State.ACTIVE, State.COMPLETED) and job.started_at is not None and job.started_at >= at
    )
    if not runs or job.started_at is None:
        return _waited(at, end, "Waited" if job.is_finished else job.state.capitalize())
    style = "running" if job.state == State.ACTIVE else "completed"
    run = Span(f"Attempt {job.attempts}: {style}", style, job.started_at, end)
    return [*_waited(at, job.started_at), run]


def _waited(start: datetime, end: datetime, name: str = "Waited") -> list[Span]:
    return [Span(name, "waited", start, end)] if end > start else []


def _draw(found: list[Span]) -> None:
    if not found:
        return
    first = found[0].start
    whole = max(0.001, (found[-1].end - first).total_seconds())
    for span in found:
        span.x = min(WIDTH - _MIN_WIDTH, round((span.start - first).total_seconds() / whole * WIDTH))
        span.width = max(_MIN_WIDTH, round(span.seconds / whole * WIDTH))
