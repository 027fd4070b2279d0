"""The facts at the top of a job's page."""

from datetime import datetime
from typing import Any

from django.utils.timezone import get_current_timezone

from queueing.conf import Backoff, QueueDef, get_conf
from queueing.kinds import find_kind
from queueing.models import Job
from queueing.monitoring.charts import formats
from queueing.options import NO_OPTIONS, Options, stored_backoff
from queueing.record.unique_jobs import follows


def _runs(job: Job) -> str:
    lost = sum(attempt.outcome == "stalled" for attempt in job.failed_attempts.all())
    alone = "; it runs alone, since its worker died" if job.suspect and not job.is_finished else ""
    return f"{job.run_count}" + (f", {lost} lost with their worker" if lost else "") + alone


def facts(job: Job) -> list[tuple[str, Any]]:
    """Return the labels and values that everyone who may view jobs can see."""
    return [
        ("State", job.state),
        ("Kind", job.kind),
        ("Queue", f"{job.queue}, priority {job.priority}"),
        ("Owner", job.owner or "system"),
        ("Request", job.request_id or "–"),
        ("Attempts", f"{job.attempts} of {job.max_attempts}"),
        ("Runs", _runs(job)),
        ("Timeout", _timeout(job)),
        ("Backoff", _backoff(job)),
        ("Submitted", job.created_at),
        ("Unique", _unique(job)),
        ("Due", job.run_at or "–"),
        ("Deadline", job.expires_at or "–"),
        ("Started", job.started_at or "–"),
        ("Finished", job.finished_at or "–"),
        ("Error", job.error_code or "–"),
    ]


def _of_kind(job: Job) -> Options:
    kind = find_kind(job.kind)
    return kind.options if kind else NO_OPTIONS


def _queue(job: Job) -> QueueDef | None:
    return get_conf().queues.get(job.queue)


def _unique(job: Job) -> str:
    """Return for how long no other job may have the key, and its first characters."""
    if not job.unique_key:
        return "–"
    until = {"start": "until it starts", "end": "until it ends"}.get(job.unique_span or "", "")
    if ends := (job.options or {}).get("unique_until"):
        until = f"until {datetime.fromtimestamp(ends, get_current_timezone()):%Y-%m-%d %H:%M:%S}"
    return f"{until}, key {job.unique_key[:8]}" + (", after its holder" if follows(job) else "")


def _timeout(job: Job) -> str:
    """Return the timeout that holds for the job, and where it is set."""
    if own := (job.options or {}).get("timeout"):
        return f"{formats.seconds(own)} (this job)"
    if of_kind := _of_kind(job).timeout:
        return f"{formats.seconds(of_kind)} (its kind)"
    return formats.seconds(queue.timeout) if (queue := _queue(job)) else "–"


def _backoff(job: Job) -> str:
    """Return the backoff that holds for the job, and where it is set."""
    if own := stored_backoff(job.options or {}):
        return f"{_text(own)} (this job)"
    of_kind = _of_kind(job).backoff
    if isinstance(of_kind, Backoff):
        return f"{_text(of_kind)} (its kind)"
    if of_kind:
        return f"{getattr(of_kind, '__qualname__', of_kind)}() (its kind)"
    return _text(queue.backoff) if (queue := _queue(job)) else "–"


def _text(backoff: Backoff) -> str:
    if backoff.type == "none":
        return "none"
    return f"{backoff.type}, {formats.seconds(backoff.delay)}, at most {formats.seconds(backoff.max_delay)}"
