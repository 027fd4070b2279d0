"""The admin: each permission does what its name says, and no field that may not be read can be searched."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client

from tests.support.proof import prove

from .actors import PASSWORD, staff
from .expectations import MODELS
from .victim import MARK, everything, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: Permissions to read what people wrote.
CONTENTS = {"queueing.view_contents", "chat.view_message_content"}
#: Models whose rows name people by their account: who may view these rows may read the names.
_NAME_PEOPLE = {"auth.user", "account.emailaddress"}
BY_LABEL = {model._meta.label_lower: model for model in admin.site._registry}


def signed_in(*permissions: str) -> Client:
    """Return the browser of a member of staff with these permissions."""
    client = Client()
    user = staff(*permissions).user
    assert user
    client.force_login(user)
    prove(client)
    return client


def address(label: str, page: str = "", row: Any = None) -> str:
    """Return the address of a model's list, of its `add` page, or of another page of a row."""
    base = f"/admin/{label.replace('.', '/')}/"
    return f"{base}{quote(row.pk)}/{page}/" if row is not None else f"{base}{page}/" if page else base


def pages(label: str) -> dict[str, list[str]]:
    """Return the addresses of each operation on the rows that exist."""
    row = BY_LABEL[label]._default_manager.first()
    found = {"view": [address(label)], "add": [address(label, "add")]}
    if row is not None:
        found["view"] += [address(label, "change", row), address(label, "history", row)]
        found["delete"] = [address(label, "delete", row)]
    return found


@pytest.mark.parametrize("label", MODELS)
def test_staff_with_every_other_permission_cannot_use_a_model(label: str):
    """A page needs the permission of its own operation on its own model."""
    user_victim()
    others = {f"{one.split('.')[0]}.view_{one.split('.')[1]}" for one in MODELS if one != label}
    client = signed_in(*others)
    before = everything()
    for addresses in pages(label).values():
        for path in addresses:
            assert client.get(path).status_code == 403, path
            assert client.post(path, {"post": "yes"}).status_code == 403, path
    assert everything() == before


@pytest.mark.parametrize("label", MODELS)
def test_staff_with_the_permissions_of_a_model_can_do_what_the_table_says(label: str):
    user_victim()
    app, name = label.split(".")
    allowed = MODELS[label].split()
    client = signed_in(*(f"{app}.{operation}_{name}" for operation in ("add", "view", "change", "delete")))
    for operation, addresses in pages(label).items():
        for path in addresses:
            response = client.get(path)
            assert (response.status_code == 200) == (operation in allowed), (path, response.status_code)


@pytest.mark.parametrize("label", MODELS)
def test_staff_without_contents_reads_no_contents(label: str):
    """Nor with any text in the address: Django filters a list by every field that the address names."""
    victim = user_victim()
    app, name = label.split(".")
    client = signed_in(f"{app}.view_{name}", "queueing.operate_queue")
    for path in pages(label)["view"]:
        body = client.get(path).content.decode()
        if label not in _NAME_PEOPLE:
            assert MARK not in body, path
    hidden = [field for field in BY_LABEL[label]._meta.get_fields() if _is_hidden(label, field, client)]
    for field in hidden:
        for lookup in ("startswith", "icontains"):
            both = [
                client.get(address(label), {f"{field.name}__{lookup}": text}).content
                for text in (MARK, "nothing-like-this")
            ]
            counts = [page.count(b'class="action-checkbox"') + page.count(b"<tr>") for page in both]
            assert counts[0] == counts[1], f"{label}: {field.name}__{lookup} in the address tells its value"
    assert victim.rows()


def _is_hidden(label: str, field: Any, client: Client) -> bool:
    """Return whether a field holds text that the list does not show."""
    model_admin = admin.site._registry[BY_LABEL[label]]
    shown = getattr(model_admin, "list_display", ())
    return field.concrete and not field.is_relation and field.name not in shown


def test_staff_cannot_make_itself_superuser():
    """A member of staff who may change users gets no right that it does not have."""
    operator = staff("auth.view_user", "auth.change_user", "auth.add_user")
    client = Client()
    assert operator.user
    client.force_login(operator.user)
    prove(client)
    root = User.objects.create_superuser("root", None, PASSWORD)
    for target in (operator.user, root):
        page = f"/admin/auth/user/{target.pk}/"
        fields = {"username": target.username, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
        fields |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", "user_permissions": ["1", "2"]}
        client.post(f"{page}change/", fields)
        passwords = {"usable_password": "true", "password1": "mine-4711-mine", "password2": "mine-4711-mine"}
        client.post(f"/admin/auth/user/{target.pk}/password/", passwords)
    operator.user.refresh_from_db()
    root.refresh_from_db()
    assert not operator.user.is_superuser
    assert operator.user.user_permissions.count() == 3
    assert root.check_password(PASSWORD), "the password of a superuser was changed"


def test_staff_cannot_give_a_group_more_than_it_has():
    operator = staff("auth.view_group", "auth.change_group", "auth.add_group")
    client = Client()
    assert operator.user
    client.force_login(operator.user)
    prove(client)
    client.post("/admin/auth/group/add/", {"name": "mine", "permissions": ["1", "2"]})
    from django.contrib.auth.models import Group

    assert not Group.objects.filter(permissions__isnull=False).exists()


_STRANGE = {
    "q": "a " * 3000,
    "p": "9" * 30,
    "o": "99.-99.x." * 50,
    "e": "1",
    "all": "",
    "_to_field": "password",
    "id__exact": "9" * 30,
    "pk__in": "\0",
    "_facets": "True",
}


@pytest.mark.parametrize("label", MODELS)
def test_list_of_a_model_with_strange_parameters_is_no_error_of_the_server(label: str):
    client = Client()
    client.force_login(User.objects.create_superuser("root", None, PASSWORD))
    client.raise_request_exception = False
    asked = [{name: value} for name, value in _STRANGE.items()] + [{"q": "a " * 50}, {"q": "\0"}]
    found = [(query, client.get(address(label), query).status_code) for query in asked]
    assert not [one for one in found if one[1] >= 500]
    term = {"app_label": label.split(".")[0], "model_name": label.split(".")[1], "field_name": "user"}
    assert client.get("/admin/autocomplete/", term | {"term": "a " * 3000}).status_code in (400, 403)
