import hashlib

from django.db import migrations
from django.utils import timezone

#: Length of the keys that Django makes. Digests have 40 characters.
KEY_LENGTH = 32


def store_digests(apps, schema_editor):
    """Name sessions by a digest of their key. The cookies of browsers stay valid."""
    Session = apps.get_model("sessions", "Session")
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    for model in (Session, apps.get_model("accounts", "UserSession")):
        keys = model.objects.values_list("session_key", flat=True)
        pairs = [
            (hashlib.sha256(key.encode()).hexdigest()[:40], key) for key in keys if len(key) == KEY_LENGTH
        ]
        table = schema_editor.quote_name(model._meta.db_table)
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET session_key = %s WHERE session_key = %s", pairs)  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_plain_names"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(store_digests, migrations.RunPython.noop, elidable=True)]
