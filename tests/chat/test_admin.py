"""Staff find conversations in the admin; what was said is for those who may read it."""

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
    """Everything the admin shows of the conversation."""
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


def test_staff_find_a_conversation_but_do_not_read_it(client, asked):
    client.force_login(staff("view_thread", "view_message"))
    shown = pages(client, asked)
    assert "travel" in shown
    assert "private" not in shown


def test_those_who_may_read_it_do(client, asked):
    client.force_login(staff("view_thread", "view_message", "view_message_content"))
    assert "a private question" in pages(client, asked)


def test_a_superuser_reads_but_cannot_change(admin_client, asked):
    assert "a private question" in pages(admin_client, asked)
    assert admin_client.get("/admin/chat/message/add/").status_code == 403
    response = admin_client.post(f"/admin/chat/message/{asked.message_id}/change/", {"content": "forged"})
    assert response.status_code == 403
