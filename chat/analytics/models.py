"""What is counted, and what people say of answers. docs/analytics.md says what is kept for how long."""

from django.db import models
from django.db.models import Q

from chat.models import Message


class Event(models.Model):
    """Something that happened once."""

    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=40)
    """A word of `vocabulary`."""
    companion = models.CharField(max_length=32, blank=True)
    visitor = models.CharField(max_length=24, blank=True)
    """The owner, hashed under the day's salt; empty when it is nobody's, or they asked not to be tracked."""
    properties = models.JSONField(default=dict)
    """Numbers and short texts."""

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M}"


class Rollup(models.Model):
    """All events of one name in one hour or day, summed, so that millions of them are read in no time."""

    seconds = models.PositiveIntegerField()
    """3600 or 86400."""
    start = models.DateTimeField()
    """In UTC, on the hour or at midnight."""
    name = models.CharField(max_length=40)
    """As the event's; all the names that clients make up are `x:` together."""
    companion = models.CharField(max_length=32, blank=True)
    code = models.CharField(max_length=64, blank=True)
    """Of what failed: why."""
    count = models.PositiveBigIntegerField(default=0)
    sums = models.JSONField(default=dict)
    """property -> sum, of our own events' numbers."""
    spreads = models.JSONField(default=dict)
    """`wait` and `run` -> histogram of seconds; the buckets are in queueing/monitoring/histogram.py."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seconds", "start", "name", "companion", "code"], name="rollup_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.name} {self.start:%Y-%m-%d %H:%M}"


class Visit(models.Model):
    """A visitor was active on a day, with a companion (or, where that is empty, at all)."""

    companion = models.CharField(max_length=32, blank=True)
    day = models.DateField()
    visitor = models.CharField(max_length=24)
    """Hashed as an event's."""

    class Meta:
        constraints = [
            # In the order in which it is read: a companion's days, counted.
            models.UniqueConstraint(fields=["companion", "day", "visitor"], name="visit_once")
        ]

    def __str__(self) -> str:
        return f"{self.companion or 'anyone'} {self.day}"


class Salt(models.Model):
    """What a day's visitors are hashed with. Deleted two days later, and with it every way back."""

    day = models.DateField(primary_key=True)
    secret = models.BinaryField()

    def __str__(self) -> str:
        return f"salt of {self.day}"


class Reason(models.TextChoices):
    """Why an answer was good or not."""

    WRONG = "wrong", "Not correct"
    MISSED = "missed", "Missed the question"
    UNCLEAR = "unclear", "Hard to follow"
    TONE = "tone", "Wrong tone"
    UNSAFE = "unsafe", "Harmful or unsafe"
    OTHER = "other", "Something else"


class Feedback(models.Model):
    """What an owner thinks of an answer. It is theirs: it goes with the conversation."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    owner = models.CharField(max_length=64, db_index=True)
    companion = models.CharField(max_length=32)
    up = models.BooleanField()
    """Thumbs up, or down."""
    reason = models.CharField(max_length=10, choices=Reason.choices, blank=True)
    comment = models.TextField(max_length=1000, blank=True)
    """In their words, so it is content: for those with `chat.view_message_content`."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=["", *Reason.values]), name="feedback_reason_known")
        ]

    def __str__(self) -> str:
        return f"thumbs {'up' if self.up else 'down'} for {self.message_id}"
