"""The groups Viewer, Operator and Administrator (docs/operating.md). A group of such a name is left as it is."""

from django.db import migrations

VIEWER = {
    "queueing": ["view_job", "view_auditentry", "view_pause", "view_limitoverride", "view_failurenote"],
    "usage": ["view_modelcall", "view_dailyusage"],
    "analytics": ["view_event"],
    "care": ["view_carecount"],
}
OPERATOR = {
    "queueing": ["operate_queue"],
    "accounts": [
        *("view_block", "add_block", "change_block"),
        *("view_invitation", "add_invitation", "change_invitation"),
    ],
}
ADMINISTRATOR = {
    "queueing": ["view_contents"],
    "chat": ["view_thread", "delete_thread", "view_message", "delete_message", "view_message_content"],
    "analytics": ["view_feedback"],
    "auth": ["view_user", "change_user"],
    "account": ["view_emailaddress"],
}
#: The model of permissions whose name does not end in it.
SPECIAL = {
    "operate_queue": ("job", "Can pause, resume, drain and change queues"),
    "view_contents": ("job", "Can see what jobs are about: arguments, results, texts"),
    "view_message_content": ("message", "Can read messages of visitors and companions"),
}
GROUPS = {
    "Viewer": [VIEWER],
    "Operator": [VIEWER, OPERATOR],
    "Administrator": [VIEWER, OPERATOR, ADMINISTRATOR],
}


def make_groups(apps, schema_editor):
    """Make the groups, with their permissions, which Django itself makes only after all migrations."""
    Group = apps.get_model("auth", "Group")
    for name, parts in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            rights = [(app, right) for part in parts for app, rights in part.items() for right in rights]
            group.permissions.add(*[permission(apps, app, right) for app, right in rights])


def permission(apps, app, codename):
    """Return a permission, as Django makes it."""
    verb, _, model = codename.partition("_")
    model, name = SPECIAL.get(codename, (model, ""))
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app, model=model
    )
    if not name:
        known = apps.get_model(app, model)._meta.verbose_name_raw
        name = f"Can {verb} {known}"
    found, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )
    return found


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_blocks_and_invitations"),
        ("account", "0001_initial"),
        ("analytics", "0002_plain_names"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("care", "0001_initial"),
        ("chat", "0007_thread_name"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("queueing", "0011_watching"),
        ("usage", "0003_network"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
