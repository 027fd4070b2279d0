"""The record. Redis holds the schedule; if the two differ, these rows are correct."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.deletion import Collector

from .states import FINISHED, UNFINISHED, State
from .values.ids import new_id

_STATES = [(state.value, state.value) for state in State]
_UNFINISHED = Q(state__in=sorted(UNFINISHED))
#: While this holds, no other job may have the job's unique key. So the statement that ends the span gives the
#: key free, also one of an older version of this program, or of a person.
_HOLDS_KEY = Q(unique_key__isnull=False) & (
    Q(unique_span="period") | (_UNFINISHED & (Q(unique_span="end") | Q(token="")))
)


class Job(models.Model):
    """A unit of work, from its submission to its one terminal state."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=100)
    kind_version = models.SmallIntegerField(default=1, db_default=1)
    """The version of the kind in the submitting process. Workers with an older version do not run the job."""
    queue = models.CharField(max_length=100)
    owner = models.CharField(max_length=64, blank=True)
    """The owner, who alone receives the job's events. Empty for the system's own jobs."""
    share = models.CharField(max_length=64, blank=True, default="", db_default="")
    """What the owner has in common with others, such as a network: in line they count as one owner."""
    request_id = models.CharField(max_length=64, blank=True)
    """The submitter's own id. Together with the owner it makes a submission idempotent."""
    args = models.JSONField(default=dict)
    meta = models.JSONField(default=dict)
    """Short texts that are repeated in each event of the job, for example the id of a thread."""
    state = models.CharField(max_length=10, choices=_STATES, default=State.WAITING)
    priority = models.PositiveSmallIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    """Attempts that have begun and were not given back."""
    run_count = models.PositiveIntegerField(default=0)
    """The number of runs that have begun. It only grows, so it distinguishes the texts of different runs."""
    max_attempts = models.PositiveSmallIntegerField(default=1)
    options = models.JSONField(null=True, blank=True)
    """What the job has in place of the options of its kind (`Options.stored`); most have nothing."""
    unique_key = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 (no table is rewritten)
    """What makes the job unique (unique.py). It stays with a finished job, for a retry."""
    unique_span = models.CharField(max_length=6, null=True, blank=True)  # noqa: DJ001 (likewise)
    """How long no other job may have the key: until the `end`, the first `start`, or for a `period`."""
    expires_at = models.DateTimeField(null=True, blank=True)
    """The deadline: no run of the job begins later."""
    stalls = models.PositiveSmallIntegerField(default=0)
    """How often a worker died that ran this job alone."""
    suspect = models.BooleanField(default=False, db_default=False)
    """Whether a worker died while it ran this job: it then runs alone, until it ends in another way."""
    unfinished_parents = models.PositiveIntegerField(default=0)
    """The number of unfinished jobs that this one waits for. Above 0 the job is delayed and not in Redis."""
    has_dependents = models.BooleanField(default=False)
    token = models.CharField(max_length=64, blank=True)
    """The token of the latest claim. An outcome is accepted only under this token."""
    run_at = models.DateTimeField(null=True, blank=True)
    """The time at which a delayed job becomes waiting."""
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    """The time at which the latest attempt began."""
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    text = models.TextField(blank=True)
    """The text that was streamed before the job ended without completing."""
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    """A sentence for the owner. Technical details are in the failed attempts."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "request_id"], condition=~Q(request_id=""), name="job_once_per_request"
            ),
            models.UniqueConstraint(fields=["unique_key"], condition=_HOLDS_KEY, name="job_unique"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="job_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(FINISHED), finished_at__isnull=False)
                | Q(state__in=sorted(UNFINISHED), finished_at__isnull=True),
                name="job_finished_at_iff_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=_UNFINISHED, name="job_unfinished"),
            models.Index(fields=["id"], condition=Q(suspect=True), name="job_suspect"),
            models.Index(fields=["queue", "id"], condition=Q(state=State.FAILED), name="job_failed"),
            # SQLite does not use the index of `job_once_per_request`: no statement repeats its condition.
            models.Index(fields=["owner", "request_id"], name="job_of_owner"),
            models.Index(fields=["id"], condition=Q(unfinished_parents__gt=0), name="job_has_parents"),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False) & _UNFINISHED, name="job_expires"
            ),
        ]
        permissions = [
            ("operate_queue", "Can pause, resume, drain and change queues"),
            ("view_contents", "Can see what jobs are about: arguments, results, texts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id.hex}"

    @property
    def is_finished(self) -> bool:
        """Whether the job has reached its terminal state."""
        return self.state in FINISHED


class JobTag(models.Model):
    """A word by which operators find a job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tags", db_index=False)
    tag = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "tag"], name="job_tag_once")]
        indexes = [models.Index(fields=["tag", "job"], name="job_tag")]

    def __str__(self) -> str:
        return self.tag


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


class Pause(models.Model):
    """A paused queue, on record so that a Redis without its data does not resume it."""

    queue = models.CharField(max_length=100, primary_key=True)
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.queue} paused since {self.since:%Y-%m-%d %H:%M}"


class LimitOverride(models.Model):
    """A limit of a queue that an operator changed. It holds until it is reset, also after restarts."""

    queue = models.CharField(max_length=100)
    name = models.CharField(max_length=32)
    """One of `live_limits.NAMES`."""
    value = models.JSONField(null=True)
    """A number; for `limiter` [max, seconds], or null for no limiter."""
    since = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "name"], name="limit_override_once")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.name} is {self.value}"


class OwnerWeight(models.Model):
    """How many turns in line an owner, or all who have a share together, get for one of others.

    Those without a row have the weight 1.
    """

    name = models.CharField("owner or share", max_length=64)
    is_share = models.BooleanField("it is a share", default=False)
    weight = models.PositiveSmallIntegerField()
    since = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "is_share"], name="owner_weight_once")]

    def __str__(self) -> str:
        return f"weight {self.weight}"  # without the name: Django keeps this text in its own log


class AuditEntry(models.Model):
    """An action of an operator, written in the transaction of the action. Only an erasure changes it."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    """A user's name, or `shell:<name>`."""
    action = models.CharField(max_length=32)
    """The name of the action, as in control/audited.py."""
    queue = models.CharField(max_length=100)
    job_id = models.UUIDField(null=True, blank=True)
    """Not a foreign key, since the entry is kept longer than the job."""
    subject = models.CharField(max_length=200, blank=True)
    """What else the action was about, for example a group of failures."""
    detail = models.JSONField(default=dict)
    """Numbers: `jobs` that an action affected, `before` and `after` of changed limits."""
    note = models.TextField(blank=True)
    """The reason that the operator gave."""

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["queue", "id"], name="audit_queue"),
            models.Index(fields=["job_id"], condition=Q(job_id__isnull=False), name="audit_job"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.queue}"


class FailureNote(models.Model):
    """A note of operators on a group of failures, which monitoring/failures.py defines."""

    queue = models.CharField(max_length=100)
    kind = models.CharField(max_length=100)
    code = models.CharField(max_length=64)
    note = models.TextField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "kind", "code"], name="failure_note_once")]

    def __str__(self) -> str:
        return f"{self.queue} {self.kind} {self.code}: {self.note[:40]}"


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


class RecurringJob(models.Model):
    """A rule that submits a job at each of its ticks, from code or from the admin (queueing/recurring/)."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=100)
    args = models.JSONField(default=dict, blank=True)
    owner = models.CharField(max_length=64, blank=True)
    """The owner of its jobs. Empty for the system's own jobs."""
    cron = models.CharField(max_length=200, blank=True)
    every = models.PositiveIntegerField(null=True, blank=True)
    """Seconds between ticks, counted from the epoch. A recurring job has either this or `cron`."""
    time_zone = models.CharField(max_length=64)
    missed = models.CharField(max_length=8, default="one")
    """What happens to ticks that were not handled in time: `skip`, `one` or `all`."""
    grace = models.PositiveIntegerField(null=True, blank=True)
    """The greatest age in seconds at which a missed tick still runs; None for half of the interval."""
    overlap = models.CharField(max_length=8, default="skip")
    """What happens to a tick while the job of an earlier one is unfinished: `skip`, `queue` or `allow`."""
    from_code = models.BooleanField(default=False)
    """Whether code declares it: only there can it be changed."""
    paused = models.BooleanField(default=False)
    left_code = models.BooleanField(default=False)
    """Whether it is paused because its declaration was removed from the code."""
    next_at = models.DateTimeField(null=True, blank=True)
    """The next tick that is not handled yet; None if there will be none."""
    look_at = models.DateTimeField(null=True, blank=True)
    """When a worker looks at it: at `next_at`, or later if its queue has refused the job."""
    refusal = models.TextField(blank=True)
    """Why the job of `next_at` could not be submitted so far."""
    last_job = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["look_at"], condition=Q(paused=False), name="recurring_look_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(cron="", every__gt=0) | (~Q(cron="") & Q(every=None)),
                name="recurring_cron_or_every",
            )
        ]

    def __str__(self) -> str:
        return self.name


class RecurringTick(models.Model):
    """A tick of a recurring job, and what became of it. Skipped ticks in a row are one entry."""

    recurring = models.ForeignKey(RecurringJob, on_delete=models.CASCADE, related_name="ticks")
    tick = models.DateTimeField()
    """The time of the tick; of the first one in an entry of several."""
    last_tick = models.DateTimeField()
    number = models.PositiveIntegerField(default=1)
    """The number of ticks, counted up to 1,001."""
    handled_at = models.DateTimeField()
    outcome = models.CharField(max_length=16)
    """A word of recurring/history.py: `submitted`, `run_now`, or the reason why it was skipped."""
    detail = models.TextField(blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    """Not a foreign key, since the job may be deleted first."""

    class Meta:
        ordering = ["-tick"]
        constraints = [
            models.UniqueConstraint(
                fields=["recurring", "tick"], condition=~Q(outcome="run_now"), name="recurring_tick_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tick:%Y-%m-%d %H:%M:%S} {self.outcome}"
