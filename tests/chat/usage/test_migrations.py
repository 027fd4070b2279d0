"""The migration that renames the models keeps rows and permissions."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat.usage.models import ModelCall


@pytest.fixture
def old_apps():
    """Migrate the app `usage` back to its first migration, and forward again after the test."""
    executor = MigrationExecutor(connection)
    executor.migrate([("usage", "0001_initial")])
    yield executor.loader.project_state([("usage", "0001_initial")]).apps
    call_command("migrate", "usage", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_migrated_database_keeps_rows_and_permissions(old_apps):
    old_apps.get_model("usage", "Usage").objects.create(job_id="0" * 32, owner="s:alice", model="m")
    ContentType.objects.filter(app_label="usage").delete()
    content_type = ContentType.objects.create(app_label="usage", model="usage")
    view = Permission.objects.create(content_type=content_type, codename="view_usage", name="Can view usage")
    Group.objects.create(name="accounting").permissions.add(view)

    call_command("migrate", "usage", verbosity=0)

    assert ModelCall.objects.get().owner == "s:alice"
    (kept,) = Group.objects.get(name="accounting").permissions.all()
    assert kept.codename == "view_modelcall"
    assert kept.content_type.model_class() is ModelCall
