"""The table of alerts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                ("queue", models.CharField(blank=True, max_length=100)),
                ("level", models.CharField(max_length=16)),
                ("text", models.TextField()),
                ("since", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("over_at", models.DateTimeField(blank=True, null=True)),
                ("told", models.JSONField(default=list)),
                ("told_over", models.JSONField(default=list)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("over_at", None)),
                        fields=("code", "queue"),
                        name="alert_open_once",
                    )
                ],
            },
        ),
    ]
