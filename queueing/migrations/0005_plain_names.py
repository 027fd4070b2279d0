"""Names that say what they hold; every row is kept."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

#: Old name -> new name, and both as the names of permissions spell them.
_RENAMED_MODELS = {
    "Attempt": ("FailedAttempt", "attempt", "failed attempt"),
    "Override": ("LimitOverride", "override", "limit override"),
    "Tally": ("QueueMinute", "tally", "queue minute"),
}


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rename the permissions of the renamed models, so that users and groups keep them.

    `RenameModel` renames content types but leaves their permissions as they are.
    """
    for old, (new, _, words) in _RENAMED_MODELS.items():
        _rename_permissions(apps, old, new, words)


def restore_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo `rename_permissions`."""
    for old, (new, words, _) in _RENAMED_MODELS.items():
        _rename_permissions(apps, new, old, words)


def _rename_permissions(apps: Apps, old: str, new: str, words: str) -> None:
    try:
        permissions = apps.get_model("auth", "Permission").objects
    except LookupError:
        return  # a new database: its permissions are created later, under the new names
    for verb in ("add", "change", "delete", "view"):
        permissions.filter(content_type__app_label="queueing", codename=f"{verb}_{old.lower()}").update(
            codename=f"{verb}_{new.lower()}", name=f"Can {verb} {words}"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0004_operating"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="override", name="override_once"),
        migrations.RemoveConstraint(model_name="tally", name="tally_once"),
        migrations.RenameModel(old_name="Attempt", new_name="FailedAttempt"),
        migrations.RenameModel(old_name="Override", new_name="LimitOverride"),
        migrations.RenameModel(old_name="Tally", new_name="QueueMinute"),
        migrations.RenameField(model_name="dependency", old_name="however", new_name="any_outcome"),
        migrations.RenameField(model_name="job", old_name="pending", new_name="unfinished_parents"),
        migrations.RenameField(model_name="job", old_name="runs", new_name="run_count"),
        migrations.RenameField(model_name="queueminute", old_name="runs", new_name="durations"),
        migrations.AddConstraint(
            model_name="limitoverride",
            constraint=models.UniqueConstraint(fields=("queue", "name"), name="limit_override_once"),
        ),
        migrations.AddConstraint(
            model_name="queueminute",
            constraint=models.UniqueConstraint(
                fields=("start", "queue", "worker", "seconds"), name="queue_minute_once"
            ),
        ),
        migrations.AlterField(
            model_name="failedattempt",
            name="job",
            field=models.ForeignKey(
                on_delete=models.CASCADE, related_name="failed_attempts", to="queueing.job"
            ),
        ),
        migrations.RunPython(rename_permissions, restore_permissions),
    ]
