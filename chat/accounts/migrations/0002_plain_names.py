from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel("SignIn", "UserSession"),
        migrations.RenameField("usersession", "at", "created_at"),
        migrations.AlterField(
            "usersession",
            "user",
            models.ForeignKey(
                settings.AUTH_USER_MODEL, on_delete=models.deletion.CASCADE, related_name="sessions"
            ),
        ),
        migrations.RenameField("token", "start", "prefix"),
    ]
