"""One run of a job: what the worker knows while it has the claim, and how it came out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from queueing.errors import UnknownKind
from queueing.kinds import Kind, get_kind
from queueing.models import Job
from queueing.states import State

#: What owners are told of an error that the handler did not foresee.
UNEXPECTED = "Something went wrong on our side while working on this."


@dataclass(kw_only=True, slots=True)
class Run:
    """A claimed job whose attempt is on record as begun."""

    id: str
    """32 hex digits."""
    kind: Kind | None
    """None when no handler of that name exists in this process."""
    kind_name: str
    queue: str
    owner: str
    request_id: str
    args: dict[str, Any]
    meta: dict[str, str]
    token: str
    number: int
    """Counts all runs of the job, also those whose attempt was given back: 1 for the first."""
    attempt: int
    """1 for the first."""
    max_attempts: int
    priority: int
    created_at: datetime
    waited: float = 0.0
    """Seconds between runnable and claimed."""
    claimed_at: datetime
    limited: bool = False
    """Whether the queue's limiter counted it as starting when it was claimed."""
    started_at: datetime

    @property
    def topic(self) -> str:
        """First word of its events."""
        return self.kind.topic if self.kind else "job"


@dataclass(kw_only=True, slots=True)
class Result:
    """How an attempt came out, and so where the job goes next."""

    run: Run
    state: State
    """COMPLETED or FAILED; DELAYED to try again; WAITING when given back."""
    outcome: str = "completed"
    """`completed`, `failed`, `timeout`, `cooldown`, `released`: the word in the history."""
    value: Any = None
    """What the handler returned."""
    text: str = ""
    """What it had streamed."""
    code: str = ""
    error: str = ""
    """A sentence for the owner."""
    detail: str = ""
    """Traceback, for staff."""
    delay: float = 0.0
    """Seconds until the next attempt."""
    spent: bool = True
    """Whether the attempt counts."""
    hook: bool = True
    """Whether the kind's `on_end` is to be told; it is not when telling it has failed before."""
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    """What the handler logged."""
    ended_at: datetime

    @property
    def ran(self) -> float:
        """Seconds the attempt took."""
        return (self.ended_at - self.run.started_at).total_seconds()


def as_run(job: Job) -> Run:
    """The run that an active row's claim stands for."""
    try:
        kind = get_kind(job.kind)
    except UnknownKind:
        kind = None
    return Run(
        id=job.id.hex,
        kind=kind,
        kind_name=job.kind,
        queue=job.queue,
        owner=job.owner,
        request_id=job.request_id,
        args=job.args,
        meta=job.meta,
        token=job.token,
        number=job.run_count,
        attempt=job.attempts,
        max_attempts=job.max_attempts,
        priority=job.priority,
        created_at=job.created_at,
        claimed_at=job.started_at or job.created_at,
        started_at=job.started_at or job.created_at,
    )
