"""The groups of staff are made by a migration, with the permissions that the docs name (O22)."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from tests.support.cluster import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

migration = import_module("chat.accounts.migrations.0009_groups")


@pytest.fixture(autouse=True)
def groups():
    """The groups of the migration: tests with real transactions empty all tables."""
    Group.objects.all().delete()
    migration.make_groups(apps, None)


def rights(name: str) -> set[str]:
    """Return the permissions of a group."""
    found = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def test_each_group_has_all_rights_of_the_one_before():
    viewer, operator, administrator = map(rights, ("Viewer", "Operator", "Administrator"))
    assert viewer < operator < administrator
    assert operator - viewer >= {"queueing.operate_queue", "accounts.add_block"}
    assert administrator - operator >= {"queueing.view_contents", "chat.view_message_content"}
    assert not {right for right in administrator if right.startswith("auth.") and "user" not in right}


def test_permissions_are_those_that_django_makes():
    """A permission of the migration that Django did not know would be made twice, and allow nothing."""
    assert Permission.objects.count() == len(set(Permission.objects.values_list("content_type", "codename")))
    known = {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename in [
            *(f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        ]
    }
    assert rights("Administrator") <= known
    names = {special: name for special, (_, name) in migration.SPECIAL.items()}
    for codename, name in names.items():
        assert Permission.objects.get(codename=codename).name == name


def test_existing_group_of_such_a_name_is_left_as_it_is():
    Group.objects.get(name="Viewer").permissions.clear()
    migration.make_groups(apps, None)
    assert rights("Viewer") == set()


def test_groups_of_the_docs_are_those_of_the_migration():
    page = (ROOT / "docs" / "operating.md").read_text()
    table = page.split("### Groups")[1].split("##")[0]
    assert re.findall(r"(?m)^\| ([A-Z]\w+) \|", table) == list(migration.GROUPS)
    for right in re.findall(r"`(\w+\.\w+)`", table):
        assert right in rights("Administrator"), right


@pytest.mark.parametrize(
    ("group", "statuses"),
    [("Viewer", (200, 403)), ("Operator", (200, 200)), ("Administrator", (200, 200))],
)
def test_members_open_the_pages_of_their_group(group: str, statuses: tuple[int, int], valkey):
    user = User.objects.create_user("olga", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    found = [client.get(path).status_code for path in ("/admin/queueing/job/", "/admin/accounts/block/")]
    assert tuple(found) == statuses
