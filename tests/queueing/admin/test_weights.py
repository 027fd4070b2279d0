"""Operators see and change weights on a page; each change is in the audit log."""

import pytest

from queueing.api import get_weight, set_weight
from queueing.models import AuditEntry, OwnerWeight

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PAGE = "/admin/queueing/ownerweight/"


def test_weights_are_added_changed_and_deleted_with_audit_entries(staff):
    client = staff("operate_queue")
    form = {"name": "u:7", "weight": "3", "note": "large plan"}
    assert client.post(f"{PAGE}add/", form).status_code == 302
    assert get_weight("u:7") == 3
    row = OwnerWeight.objects.get()
    change = f"{PAGE}{row.pk}/change/"
    assert "u:7" in client.get(PAGE + "?q=u:7").content.decode()
    assert client.post(change, {"weight": "5", "name": "u:8", "is_share": "on"}).status_code == 302
    assert (get_weight("u:7"), get_weight("u:8")) == (5, 1), "the name cannot be changed"
    assert client.post(f"{PAGE}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert get_weight("u:7") == 1
    entries = AuditEntry.objects.order_by("id")
    assert [entry.detail["after"] for entry in entries] == [{"weight": 3}, {"weight": 5}, {"weight": 1}]
    assert {(entry.actor, entry.subject) for entry in entries} == {("carol", "u:7")}
    assert entries[0].note == "large plan"
    log = staff("operate_queue", "view_auditentry").get("/admin/queueing/auditentry/").content.decode()
    assert "Change weight" in log
    assert "Weight 3 → 5" in log


@pytest.mark.parametrize(
    ("name", "weight"), [("u:7", "1"), ("u:7", "17"), ("u:7", "x"), ("", "3"), ("a\x1eb", "3")]
)
def test_wrong_weights_are_refused_with_a_sentence(staff, name, weight):
    answer = staff("operate_queue").post(f"{PAGE}add/", {"name": name, "weight": weight})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not OwnerWeight.objects.exists()


def test_same_owner_twice_is_refused(staff):
    set_weight("u:7", 3)
    answer = staff("operate_queue").post(f"{PAGE}add/", {"name": "u:7", "weight": "4"})
    assert "already exists" in answer.content.decode()
    assert get_weight("u:7") == 3


def test_staff_without_the_permission_only_sees_weights(staff):
    set_weight("u:7", 3)
    row = OwnerWeight.objects.get()
    client = staff("view_ownerweight")
    assert "u:7" in client.get(PAGE).content.decode()
    for path in ("add/", f"{row.pk}/change/", f"{row.pk}/delete/"):
        assert client.post(PAGE + path, {"name": "u:9", "weight": "9", "post": "yes"}).status_code == 403
    assert [get_weight(name) for name in ("u:7", "u:9")] == [3, 1]
