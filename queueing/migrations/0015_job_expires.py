"""The index of the deadlines of unfinished jobs, made without keeping anything from writing."""

from django.db import migrations, models

from ._concurrently import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("queueing", "0014_options"),
    ]

    operations = [
        AddIndexConcurrently(
            "job",
            models.Index(
                condition=models.Q(
                    ("expires_at__isnull", False), ("state__in", ["active", "delayed", "waiting"])
                ),
                fields=["expires_at"],
                name="job_expires",
            ),
        ),
    ]
