"""Counts of the help cards shown, without visitors and without messages."""

from django.db import models


class CareCount(models.Model):
    """The number of cards of one level shown on one day with one companion."""

    day = models.DateField()
    companion = models.CharField(max_length=32)
    level = models.CharField(max_length=7)
    """`danger` or `concern`."""
    shown = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-day", "companion", "level"]
        constraints = [
            models.UniqueConstraint(fields=["day", "companion", "level"], name="care_count_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.companion} {self.level}: {self.shown}"
