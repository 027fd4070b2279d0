"""The network of a budget reservation; those on record have none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0002_plain_names"),
    ]

    operations = [
        # The database keeps the default: during a deploy, processes with older code insert rows without it.
        migrations.AddField(
            model_name="budgetreservation",
            name="network",
            field=models.CharField(blank=True, db_default="", db_index=True, default="", max_length=64),
        ),
    ]
