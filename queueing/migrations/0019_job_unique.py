"""The index that keeps unique keys unique, made without keeping anything from writing."""

from django.db import migrations, models
from django.db.models import Q

from ._concurrently import AddConstraintConcurrently

_UNFINISHED = Q(state__in=["active", "delayed", "waiting"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queueing", "0018_unique_key"),
    ]

    operations = [
        AddConstraintConcurrently(
            "job",
            models.UniqueConstraint(
                condition=Q(unique_key__isnull=False)
                & (Q(unique_span="period") | (_UNFINISHED & (Q(unique_span="end") | Q(token="")))),
                fields=["unique_key"],
                name="job_unique",
            ),
        ),
    ]
