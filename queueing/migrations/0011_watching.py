"""Cancelled jobs and times to the first text, for the metrics; rows on record have none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0010_share"),
    ]

    operations = [
        # The database keeps the defaults: during a deploy, workers with older code insert rows without them.
        migrations.AddField(
            model_name="queueminute",
            name="cancelled",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="queueminute",
            name="first_texts",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
