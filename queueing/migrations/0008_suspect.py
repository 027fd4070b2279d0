"""Jobs whose worker died while it ran them run alone until they end in another way."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0007_lost_parents"),
    ]

    operations = [
        # The database keeps the default: during a deploy, processes with older code insert rows without it.
        migrations.AddField(
            model_name="job",
            name="suspect",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("suspect", True)), fields=["id"], name="job_suspect"),
        ),
    ]
