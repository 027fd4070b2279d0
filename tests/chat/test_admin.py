"""Staff find conversations in the admin; only those with the permission read messages."""

import pytest
from django.contrib.auth.models import Permission, User

from chat.conversations.messages import AcceptedMessage
from tests.chat.questions import submit_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def staff(*permissions: str) -> User:
    user = User.objects.create_user("carol", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def asked() -> AcceptedMessage:
    return submit_question(owner="s:alice", companion="travel", text="a private question", request_id="r-1")


def pages(client, asked: AcceptedMessage) -> str:
    """Return everything that the admin shows of the conversation."""
    shown = ""
    for address in (
        "thread/",
        f"thread/?q={asked.thread_id}",
        f"thread/{asked.thread_id}/change/",
        f"message/?q={asked.message_id}",
        f"message/{asked.message_id}/change/",
    ):
        response = client.get(f"/admin/chat/{address}")
        assert response.status_code == 200, address
        shown += response.content.decode()
    return shown


def test_staff_without_permission_find_but_cannot_read(client, asked):
    client.force_login(staff("view_thread", "view_message"))
    shown = pages(client, asked)
    assert "travel" in shown
    assert "private" not in shown


def test_staff_with_permission_can_read(client, asked):
    client.force_login(staff("view_thread", "view_message", "view_message_content"))
    assert "a private question" in pages(client, asked)


def test_superuser_can_read_but_not_change(admin_client, asked):
    assert "a private question" in pages(admin_client, asked)
    assert admin_client.get("/admin/chat/message/add/").status_code == 403
    response = admin_client.post(f"/admin/chat/message/{asked.message_id}/change/", {"content": "forged"})
    assert response.status_code == 403
