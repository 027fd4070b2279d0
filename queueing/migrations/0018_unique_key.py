"""Unique keys of jobs; jobs on record have none. The columns are null, as the ones of 0014."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0017_exception"),
    ]

    operations = [
        migrations.AddField("job", "unique_key", models.CharField(blank=True, max_length=100, null=True)),
        migrations.AddField("job", "unique_span", models.CharField(blank=True, max_length=6, null=True)),
    ]
