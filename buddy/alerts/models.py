"""The health warnings that lasted, and which channels have told of them."""

from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """A health warning of one code and queue, from when it was first seen until it is over."""

    code = models.CharField(max_length=64)
    queue = models.CharField(max_length=100, blank=True)
    level = models.CharField(max_length=16)
    text = models.TextField()
    since = models.DateTimeField()
    """When it was first seen."""
    seen_at = models.DateTimeField()
    """When it was last seen."""
    over_at = models.DateTimeField(null=True, blank=True)
    told = models.JSONField(default=list)
    """The channels that have told that it began."""
    told_over = models.JSONField(default=list)
    """The channels that have told that it is over."""
    claimed_until = models.DateTimeField(null=True, blank=True)
    """Until when one process may send, or when it is tried again after a failure."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "queue"], condition=Q(over_at=None), name="alert_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.queue} since {self.since:%Y-%m-%d %H:%M}"
