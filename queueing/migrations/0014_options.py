"""Options, deadlines and tags of jobs; jobs on record have none.

The columns are null: neither database rewrites a table for these, and processes with older code insert rows
without them.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0013_recurring_jobs"),
    ]

    operations = [
        migrations.AddField("job", "options", models.JSONField(blank=True, null=True)),
        migrations.AddField("job", "expires_at", models.DateTimeField(blank=True, null=True)),
        migrations.CreateModel(
            name="JobTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="queueing.job",
                    ),
                ),
                ("tag", models.CharField(max_length=255)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("job", "tag"), name="job_tag_once")],
                "indexes": [models.Index(fields=["tag", "job"], name="job_tag")],
            },
        ),
    ]
