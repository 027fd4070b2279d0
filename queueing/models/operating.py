"""What operators decide: pauses, limits, weights, notes, and the record of who did what."""

from django.db import models
from django.db.models import Q


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
