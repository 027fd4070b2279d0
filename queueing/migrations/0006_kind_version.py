"""The version of a kind with which a job was submitted; jobs on record have version 1."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0005_plain_names"),
    ]

    operations = [
        # The database keeps the default: during a deploy, processes with older code insert rows without it.
        migrations.AddField(
            model_name="job",
            name="kind_version",
            field=models.SmallIntegerField(db_default=1, default=1),
        ),
    ]
