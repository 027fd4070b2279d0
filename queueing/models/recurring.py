"""Recurring jobs and their ticks."""

from django.db import models
from django.db.models import Q


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
