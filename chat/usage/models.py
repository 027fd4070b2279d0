"""What was used, call by call and day by day, and what is reserved for calls to come.

Money is in millionths of a unit of `PRICE_CURRENCY`, in whole numbers.
"""

from django.db import models

from queueing.api import new_id


class End(models.TextChoices):
    """How a call ended."""

    STOP = "stop"
    """As it should."""
    LENGTH = "length"
    """At the answer's length limit."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class Usage(models.Model):
    """One call of a model. A job that is tried three times has three of these: each was paid for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    """The call's, so that it is recorded once however often that is tried."""
    job_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    owner = models.CharField(max_length=64)
    """A key of `chat.accounts.owners`."""
    companion = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=100, blank=True)
    """The job's kind, such as `chat.reply`."""
    model = models.CharField(max_length=100)
    """As the provider names it."""
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    """Those of the input that the provider had read before, and charges less for."""
    seconds_of_audio = models.FloatField(default=0.0)
    cost = models.BigIntegerField(null=True)
    """None when no price is set for the model."""
    estimated = models.BooleanField(default=False)
    """The provider did not say how many tokens it was, so they were counted roughly."""
    ended = models.CharField(max_length=9, choices=End.choices, default=End.STOP)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "usage"
        indexes = [
            models.Index(fields=["job_id"], name="usage_of_job"),
            models.Index(fields=["thread_id"], name="usage_of_thread"),
            models.Index(fields=["owner", "created_at"], name="usage_of_owner"),
            models.Index(fields=["created_at"], name="usage_by_time"),
        ]

    def __str__(self) -> str:
        return f"call {self.id.hex} of {self.model}"


class Day(models.Model):
    """An owner's day, in the server's time zone: all its calls together, and what is reserved."""

    owner = models.CharField(max_length=64)
    day = models.DateField()
    calls = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    seconds_of_audio = models.FloatField(default=0.0)
    cost = models.BigIntegerField(default=0)
    """Of the calls whose price is known."""
    reserved_tokens = models.PositiveBigIntegerField(default=0)
    reserved_cost = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "day"], name="usage_day_once")]

    def __str__(self) -> str:
        return f"{self.owner} {self.day}"

    @property
    def tokens(self) -> int:
        """Spent so far, in and out."""
        return self.input_tokens + self.output_tokens


class Reservation(models.Model):
    """What a job may still spend; it is counted in its owner's `Day`. Gone when the job is over."""

    job_id = models.UUIDField(primary_key=True)
    owner = models.CharField(max_length=64, db_index=True)
    day = models.DateField()
    tokens = models.PositiveBigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.tokens} tokens for job {self.job_id.hex}"
