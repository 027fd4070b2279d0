from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_outgoing_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="usersession",
            name="last_seen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="usersession",
            name="address",
            field=models.CharField(blank=True, db_default="", max_length=50),
        ),
        migrations.AddField(
            model_name="usersession",
            name="user_agent",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
    ]
