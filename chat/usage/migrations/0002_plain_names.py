"""Rename the models after what they hold, and the permissions that groups may have on them."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RENAMED = {
    "usage": ("modelcall", "model call"),
    "day": ("dailyusage", "daily usage"),
    "reservation": ("budgetreservation", "budget reservation"),
}


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let groups and users keep their permissions: Django renames content types but not permissions."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for old, (new, name) in RENAMED.items():
        for action in ("add", "change", "delete", "view"):
            found = permissions.filter(content_type__app_label="usage", codename=f"{action}_{old}")
            found.update(codename=f"{action}_{new}", name=f"Can {action} {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RenameModel("Usage", "ModelCall"),
        migrations.RenameModel("Day", "DailyUsage"),
        migrations.RenameModel("Reservation", "BudgetReservation"),
        migrations.AlterModelOptions("modelcall", {}),
        migrations.AlterModelOptions("dailyusage", {"verbose_name_plural": "daily usage"}),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
