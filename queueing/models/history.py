"""What happened to a job: failed attempts, lines of its log, the jobs that it waits for. And statistics."""

from typing import Any

from django.db import models
from django.db.models.deletion import Collector

from queueing.states import FINISHED

from .job import Job


class FailedAttempt(models.Model):
    """An attempt that did not complete the job. The attempt that did is in the job's own row."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="failed_attempts")
    number = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16)
    """`failed`, `timeout`, `cooldown`, `outage`, `database`, `released`, `unable` or `stalled`."""
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    worker = models.CharField(max_length=64)
    code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    exception = models.CharField(max_length=255, blank=True, default="", db_default="")
    """The dotted name of the class of the exception; empty when the attempt failed without one."""
    traceback = models.TextField(blank=True)
    """For staff with `view_contents`, since it may quote the arguments."""

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}: {self.outcome}"


class LogLine(models.Model):
    """A line that a handler wrote with `ctx.log`."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    line = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.line


def delete_links_of_finished_parents(
    collector: Collector, field: "models.ForeignKey[Any, Any]", links: "models.QuerySet[Any]", using: str
) -> None:
    """Delete the links to parents that are deleted, unless these are unfinished (record/lost_parents.py)."""
    models.CASCADE(collector, field, links.filter(parent__state__in=sorted(FINISHED)), using)


class Dependency(models.Model):
    """A rule that `job` runs only when `parent` has completed, or with `any_outcome` is finished."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parents")
    parent = models.ForeignKey(
        Job, on_delete=delete_links_of_finished_parents, db_constraint=False, related_name="dependents"
    )
    """It may be deleted: by operators, by pruning, by the ORM. So the database does not insist on it."""
    any_outcome = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "parent"], name="dependency_once")]

    def __str__(self) -> str:
        return f"{self.job_id} after {self.parent_id}"


class QueueMinute(models.Model):
    """The numbers of one worker on one queue in one minute, for statistics. Older rows cover one hour.

    Each worker writes its own rows, so workers never wait for each other.
    """

    queue = models.CharField(max_length=100)
    worker = models.CharField(max_length=32)
    """The worker's id; `*` in a row that covers one hour."""
    start = models.DateTimeField()
    seconds = models.PositiveIntegerField(default=60)
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    retried = models.PositiveIntegerField(default=0)
    """Attempts that failed and are retried, and attempts that were given back."""
    cancelled = models.PositiveIntegerField(default=0, db_default=0)
    """Jobs that were cancelled. The process that cancels counts them, in a row of its own."""
    waits = models.JSONField(default=dict)
    """Histogram of seconds in line: bucket -> jobs. The buckets are in monitoring/histogram.py."""
    durations = models.JSONField(default=dict)
    """Histogram of the seconds that the last attempts took."""
    first_texts = models.JSONField(default=dict, db_default={})
    """Histogram of the seconds from the place in line to the first text, of jobs that streamed some."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["start", "queue", "worker", "seconds"], name="queue_minute_once")
        ]
        # All columns of `statistics.totals`: a row is large, and there are thousands in a day.
        indexes = [
            models.Index(
                fields=["start", "queue", "completed", "failed", "retried"], name="queue_minute_totals"
            )
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.start:%Y-%m-%d %H:%M}"
