"""One run of a job, as the worker holds it in memory, and its result."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from queueing.conf import get_queue
from queueing.errors import Cooldown, Outage
from queueing.kinds import Kind, find_kind
from queueing.models import Job
from queueing.states import State


@dataclass(kw_only=True, slots=True)
class Run:
    """A claimed job whose attempt has begun on record."""

    id: str
    """32 hex digits."""
    kind: Kind | None
    """None when this process has no handler of that name."""
    kind_name: str
    version: int = 1
    """The version of the kind with which the job was submitted."""
    queue: str
    owner: str
    request_id: str
    args: dict[str, Any]
    meta: dict[str, str]
    token: str
    number: int
    """Counts all runs of the job, also those that were given back: 1 for the first."""
    attempt: int
    """1 for the first."""
    max_attempts: int
    options: dict[str, Any] | None = None
    """What the job has in place of the options of its kind."""
    extended: float = 0.0
    """Seconds by which the handler has extended the timeout of this run."""
    priority: int
    created_at: datetime
    waited: float = 0.0
    """Seconds between runnable and claimed."""
    claimed: float = field(default_factory=time.monotonic)
    """When it was claimed, by `time.monotonic()`."""
    limited: bool = False
    """Whether the queue's limiter counted the job as starting when it was claimed."""
    watched: bool = False
    """Whether its provider had failed recently when it was claimed."""
    started_at: datetime
    """When the attempt began, by the wall clock: for people, never to measure how long it took."""
    began: float | None = None
    """When the handler began, by `time.monotonic()`; None before. Waiting for the limiter is not running."""

    @property
    def timeout(self) -> float:
        """The seconds that the handler may take: by the job, else its kind, else its queue."""
        own = self.options.get("timeout") if self.options else None
        own = own or (self.kind.options.timeout if self.kind else None)
        return float(own or get_queue(self.queue).timeout) + self.extended

    @property
    def topic(self) -> str:
        """The first word of the names of the job's events."""
        return self.kind.topic if self.kind else "job"


@dataclass(kw_only=True, slots=True)
class Result:
    """The outcome of a run, which decides where the job goes next."""

    run: Run
    state: State
    """COMPLETED or FAILED; DELAYED to try again; WAITING when given back."""
    outcome: str = "completed"
    """The word in the job's history: `completed`, or one of `FailedAttempt.outcome`."""
    value: Any = None
    """The value that the handler returned."""
    text: str = ""
    """The text that the handler streamed; without completing, at least that of the last run that had some."""
    code: str = ""
    error: str = ""
    """A sentence for the owner."""
    exception: str = ""
    """The dotted name of the class of the exception that the handler raised."""
    detail: str = ""
    """The traceback, for staff."""
    delay: float = 0.0
    """Seconds until the next attempt."""
    spent: bool = True
    """Whether the attempt counts."""
    given_back: int = 0
    """Earlier attempts that no longer count."""
    trouble: Outage | Cooldown | None = None
    """The error of the provider, whose breaker decides what happens."""
    lets_pass: bool = False
    """Whether others may pass when the job goes back in line."""
    asked_provider: bool = True
    """Whether the run used the provider, as far as the handler says."""
    hook: bool = True
    """Whether to call the kind's `on_end`; False after that has raised an error."""
    refusals: int = 0
    """Results of this run that could not be written before this one."""
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    """The lines that the handler logged, with their times."""
    ended_at: datetime
    """When it ended, by the wall clock."""
    first_text: float | None = None
    """When the handler streamed its first text, by `time.monotonic()`."""
    ended: float = field(default_factory=time.monotonic)
    """When it ended, by `time.monotonic()`."""

    @property
    def ran(self) -> float:
        """The seconds that the handler took. The record knows only times of the wall clock."""
        if self.run.began is None:
            return max(0.0, (self.ended_at - self.run.started_at).total_seconds())
        return self.ended - self.run.began


def as_run(job: Job) -> Run:
    """Return the run of an active row, for work that the worker itself cannot finish."""
    return Run(
        id=job.id.hex,
        kind=find_kind(job.kind),
        kind_name=job.kind,
        version=job.kind_version,
        queue=job.queue,
        owner=job.owner,
        request_id=job.request_id,
        args=job.args,
        meta=job.meta,
        token=job.token,
        number=job.run_count,
        attempt=job.attempts,
        max_attempts=job.max_attempts,
        options=job.options,
        priority=job.priority,
        created_at=job.created_at,
        started_at=job.started_at or job.created_at,
    )


def as_result(job: Job) -> Result:
    """Return the end of a finished row as the result of its last run."""
    return Result(
        run=as_run(job),
        state=State(job.state),
        value=job.result,
        text=job.text,
        code=job.error_code,
        error=job.error,
        ended_at=job.finished_at or job.created_at,
    )
