"""Recorded model calls, their totals per owner and day, and the budget reservations of unfinished jobs.

Money is an integer: millionths of a unit of `PRICE_CURRENCY`.
"""

from django.db import models

from queueing.api import new_id


class CallEnd(models.TextChoices):
    """How a model call ended."""

    STOP = "stop"
    """The answer is complete."""
    LENGTH = "length"
    """The answer reached its length limit."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class ModelCall(models.Model):
    """One call of a model. A job with three attempts has three of these: the provider charged for each."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    """The id of the call, so that recording it again changes nothing."""
    job_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    owner = models.CharField(max_length=64)
    """A key of `chat.accounts.access.owners`."""
    companion = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=100, blank=True)
    """The kind of the job, such as `chat.reply`."""
    model = models.CharField(max_length=100)
    """The provider's name of the model."""
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    """The part of `input_tokens` that the provider read from its cache, at a lower price."""
    seconds_of_audio = models.FloatField(default=0.0)
    cost = models.BigIntegerField(null=True)
    """None when the model has no price."""
    estimated = models.BooleanField(default=False)
    """True when the provider reported no token counts, so that they were estimated."""
    ended = models.CharField(max_length=9, choices=CallEnd.choices, default=CallEnd.STOP)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["job_id"], name="usage_of_job"),
            models.Index(fields=["thread_id"], name="usage_of_thread"),
            models.Index(fields=["owner", "created_at"], name="usage_of_owner"),
            models.Index(fields=["created_at"], name="usage_by_time"),
        ]

    def __str__(self) -> str:
        return f"call {self.id.hex} of {self.model}"


class DailyUsage(models.Model):
    """The totals of one owner on one day in the server's time zone: recorded calls, and reservations.

    While there are budgets, the `owner` of some rows is a network: its visitors' totals.
    """

    owner = models.CharField(max_length=64)
    day = models.DateField()
    calls = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    seconds_of_audio = models.FloatField(default=0.0)
    cost = models.BigIntegerField(default=0)
    """The cost of the calls whose model has a price."""
    reserved_tokens = models.PositiveBigIntegerField(default=0)
    reserved_cost = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "daily usage"
        constraints = [models.UniqueConstraint(fields=["owner", "day"], name="usage_day_once")]

    def __str__(self) -> str:
        return f"{self.owner} {self.day}"

    @property
    def tokens(self) -> int:
        """Return the tokens used so far, input and output."""
        return self.input_tokens + self.output_tokens


class BudgetReservation(models.Model):
    """Tokens and cost that an unfinished job may still use, included in its owner's `DailyUsage`.

    The row is deleted when the job is finished.
    """

    job_id = models.UUIDField(primary_key=True)
    owner = models.CharField(max_length=64, db_index=True)
    network = models.CharField(max_length=64, blank=True, default="", db_default="", db_index=True)
    """The network of a visitor without account (`network_name`), which has a budget, too."""
    day = models.DateField()
    tokens = models.PositiveBigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.tokens} tokens for job {self.job_id.hex}"
