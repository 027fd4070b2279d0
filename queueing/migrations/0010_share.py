"""The share of the owner of a job; jobs on record have none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0009_job_of_owner"),
    ]

    operations = [
        # The database keeps the default: during a deploy, processes with older code insert rows without it.
        migrations.AddField(
            model_name="job",
            name="share",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
