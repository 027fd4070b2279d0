"""A table in which `on_end` hooks write, so that tests can count their calls."""

from django.db import models


class Written(models.Model):
    """One call of an `on_end` hook."""

    job_id = models.CharField(max_length=32)
    state = models.CharField(max_length=10)
    text = models.TextField(blank=True)

    class Meta:
        app_label = "engine"

    def __str__(self) -> str:
        return f"{self.job_id} {self.state}"
