from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_erased_owner"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="created_from",
            field=models.CharField(blank=True, db_default="", max_length=50),
        ),
        migrations.AddField(
            model_name="token",
            name="last_used_from",
            field=models.CharField(blank=True, db_default="", max_length=50),
        ),
    ]
