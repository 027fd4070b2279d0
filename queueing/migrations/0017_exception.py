"""The class of the exception of a failed attempt, which `django.tasks` asks for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0016_owner_weights"),
    ]

    operations = [
        # The database keeps the default: during a deploy, workers with older code insert rows without it.
        migrations.AddField(
            model_name="failedattempt",
            name="exception",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
    ]
