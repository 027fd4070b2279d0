"""What is known about a run from outside: the material of the checks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.chaos.system.services import Sample
from tests.chaos.visitors.transcript import Transcript


@dataclass(frozen=True, kw_only=True)
class Row:
    """A job on record."""

    id: str
    request_id: str
    kind: str
    state: str
    response: str = ""
    text: str = ""
    code: str = ""
    attempts: int = 1
    max_attempts: int = 3
    runs: int = 1
    stalls: int = 0


@dataclass(frozen=True)
class Call:
    """A call in the provider's log."""

    key: str
    queue: str
    instance: str
    started: float
    ended: float
    whole: bool
    spoiled: str = ""


@dataclass(frozen=True)
class Applied:
    """A fault that was applied."""

    number: int
    name: str
    began: float
    ended: float
    complete: tuple[float, float] = (inf, -inf)
    """From when until when the fault was whole: it takes time to stop and to start a server."""


@dataclass(frozen=True)
class Probe:
    """One answer of /readyz. The status is 0 when there was none."""

    web: str
    at: float
    status: int
    checks: str = ""
    """What the answer says of each check, unless it is 200."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a queue allows."""

    queue: str
    total: int = 0
    """Active jobs in total; 0: no limit."""
    per_instance: int = 0
    starts: tuple[int, float] | None = None
    """Starts in any period of so many seconds."""


@dataclass(kw_only=True)
class Evidence:
    """Everything that the checks read."""

    transcripts: Sequence[Transcript]
    rows: Sequence[Row]
    calls: Sequence[Call] = ()
    foreign: Sequence[str] = ()
    limits: Sequence[Limit] = ()
    pauses: Sequence[tuple[str, float, float]] = ()
    """(instance, from, until): its processes, or one of them, were suspended."""
    applied: Sequence[Applied] = ()
    probes: Sequence[Probe] = ()
    samples: Sequence[Sample] = ()
    crashes: Sequence[str] = ()
    one_redis: bool = True
    visitors: int = 0
    by_request: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_request = {}
        for row in self.rows:
            if row.request_id:
                self.by_request.setdefault(row.request_id, []).append(row)


def read_rows() -> list[Row]:
    """Read the jobs of visitors from the database. Django must be set up."""
    from queueing.api import Job

    fields = ("id", "request_id", "kind", "state", "result", "text", "error_code")
    fields += ("attempts", "max_attempts", "run_count", "stalls")
    return [_row(values) for values in Job.objects.values(*fields).iterator()]


def _row(values: dict[str, Any]) -> Row:
    result = values["result"]
    return Row(
        id=values["id"].hex,
        request_id=values["request_id"],
        kind=values["kind"],
        state=values["state"],
        response=(result.get("response") or "") if isinstance(result, dict) else "",
        text=values["text"],
        code=values["error_code"],
        attempts=values["attempts"],
        max_attempts=values["max_attempts"],
        runs=values["run_count"],
        stalls=values["stalls"],
    )
