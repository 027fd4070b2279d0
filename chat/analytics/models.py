"""Events, their rollups and visitors, and feedback. docs/analytics.md says how long each is kept."""

from django.db import models
from django.db.models import Q

from chat.models import Message

from . import texts


class Event(models.Model):
    """One event."""

    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=40)
    """A name that `event_names` allows."""
    companion = models.CharField(max_length=32, blank=True)
    visitor = models.CharField(max_length=24, blank=True)
    """The owner, hashed with the salt of the day; empty without a visitor or with do-not-track."""
    properties = models.JSONField(default=dict)
    """Numbers and short texts."""

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M}"


class Rollup(models.Model):
    """The totals of all events of one name in one hour or day, so that pages read few rows."""

    seconds = models.PositiveIntegerField()
    """3600 or 86400."""
    start = models.DateTimeField()
    """The start of the hour or day, in UTC."""
    name = models.CharField(max_length=40)
    """The name of the events; all names that clients choose are counted together as `x:`."""
    companion = models.CharField(max_length=32, blank=True)
    code = models.CharField(max_length=64, blank=True)
    """The error code of failures."""
    count = models.PositiveBigIntegerField(default=0)
    sums = models.JSONField(default=dict)
    """The sum of each numeric property, for the server's own events."""
    histograms = models.JSONField(default=dict)
    """A histogram of seconds for `wait` and `run`; the buckets are in queueing/monitoring/histogram.py."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seconds", "start", "name", "companion", "code"], name="rollup_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.name} {self.start:%Y-%m-%d %H:%M}"


class Visit(models.Model):
    """A visitor who was active on a day, with one companion or (where that is empty) with any."""

    companion = models.CharField(max_length=32, blank=True)
    day = models.DateField()
    visitor = models.CharField(max_length=24)
    """The same hash as in events."""

    class Meta:
        constraints = [
            # In the order of the query that counts the visitors of a companion by day.
            models.UniqueConstraint(fields=["companion", "day", "visitor"], name="visit_once")
        ]

    def __str__(self) -> str:
        return f"{self.companion or 'any companion'} {self.day}"


class Salt(models.Model):
    """The secret with which visitors of a day are hashed. It is deleted after two days to anonymize them."""

    day = models.DateField(primary_key=True)
    secret = models.BinaryField()

    def __str__(self) -> str:
        return f"salt of {self.day}"


class FeedbackReason(models.TextChoices):
    """Why an answer was not good."""

    WRONG = "wrong", texts.REASON_WRONG
    MISSED = "missed", texts.REASON_MISSED
    UNCLEAR = "unclear", texts.REASON_UNCLEAR
    TONE = "tone", texts.REASON_TONE
    UNSAFE = "unsafe", texts.REASON_UNSAFE
    OTHER = "other", texts.REASON_OTHER


class Feedback(models.Model):
    """An owner's feedback on an answer. It belongs to the owner and is deleted with the conversation."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    owner = models.CharField(max_length=64, db_index=True)
    companion = models.CharField(max_length=32)
    up = models.BooleanField()
    """True for thumbs up, False for thumbs down."""
    reason = models.CharField(max_length=10, choices=FeedbackReason.choices, blank=True)
    comment = models.TextField(max_length=1000, blank=True)
    """Content, so it is shown only to staff with `chat.view_message_content`."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["", *FeedbackReason.values]), name="feedback_reason_known"
            )
        ]

    def __str__(self) -> str:
        return f"thumbs {'up' if self.up else 'down'} for {self.message_id}"
