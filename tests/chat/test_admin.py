"""Deleting in the admin erases as an owner does (S18). No page links to one that is refused (S19)."""

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from chat.conversations.messages import NewMessage
from chat.intake import submit_message
from chat.models import Message, Thread
from queueing.api import Job, State
from queueing.api.admin import LargeTable
from tests.chat.conversations.long_thread import long_thread
from tests.support.links import follow_all
from tests.support.proof import prove

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def admin() -> Client:
    User.objects.create_superuser("root", password="of-the-tests")
    client = Client()
    client.login(username="root", password="of-the-tests")
    prove(client)
    return client


@pytest.fixture
def job() -> Job:
    """A waiting question, whose job has text as if an answer had begun."""
    accepted = submit_message(
        NewMessage(owner="s:" + "0" * 40, companion="travel", text="Where to?", request_id="r-1")
    )
    Job.objects.update(text="Lisbon", result={"response": "Lisbon"})
    return accepted.submission.job


@pytest.mark.parametrize("model", [Thread, Message])
@pytest.mark.parametrize("in_bulk", [False, True])
def test_row_deleted_in_the_admin_deletes_the_text_of_its_job(admin, job, model, in_bulk):
    row = model.objects.order_by("pk").first()
    name = model._meta.model_name
    if in_bulk:
        fields = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        response = admin.post(f"/admin/chat/{name}/", fields)
    else:
        response = admin.post(f"/admin/chat/{name}/{row.pk.hex}/delete/", {"post": "yes"})
    assert response.status_code == 302
    assert not model.objects.filter(pk=row.pk).exists()
    job.refresh_from_db()
    assert (job.state, job.text, job.result) == (State.CANCELLED, "", None)


def test_long_thread_in_the_admin_links_to_its_messages_in_pages(admin):
    """S22: neither a thread's page nor the question before its deletion lists all messages."""
    thread = long_thread(120)
    page = admin.get(f"/admin/chat/thread/{thread.pk.hex}/change/")
    address = f"/admin/chat/message/?q={thread.pk}"
    assertContains(page, f'<a href="{address}">120</a>', html=True)
    assert "Message 7" not in page.content.decode()
    assert admin.get(address).context["cl"].result_count == 120
    assert len(admin.get(address).context["cl"].result_list) == 50
    question = admin.get(f"/admin/chat/thread/{thread.pk.hex}/delete/").content.decode()
    assert str(thread) in question
    assert "message" not in question.partition("<main")[2].lower()


@pytest.mark.parametrize("of", ["pk", "owner"])
def test_search_of_a_list_finds_a_whole_value_and_no_part_of_one(admin, job, of):
    """An id is found with and without hyphens. A text that is no id is searched in the other fields."""
    thread = Thread.objects.get()
    whole = str(getattr(thread, of))
    for text in (whole, whole.replace("-", ""), f"  {whole} "):
        found = admin.get("/admin/chat/thread/", {"q": text}).context["cl"]
        assert [row.pk for row in found.result_list] == [thread.pk], text
    assert not admin.get("/admin/chat/thread/", {"q": whole[:-1]}).context["cl"].result_list


def test_filter_of_a_list_looks_at_the_newest_rows_and_says_so(admin, job, monkeypatch):
    """A filter without an index would read a table of millions for a companion with few conversations."""
    old = Thread.objects.get()
    submit_message(NewMessage(owner="s:" + "1" * 40, companion="culture", text="Fado?", request_id="r-2"))
    address, note = "/admin/chat/thread/?companion=travel", "Filtered among the newest 1<"
    assertNotContains(admin.get(address), note)
    assert admin.get(address).context["cl"].result_count == 1
    monkeypatch.setattr(LargeTable, "newest", 1)
    assertContains(admin.get(address), note)
    assert admin.get(address).context["cl"].result_count == 0
    found = admin.get(f"/admin/chat/thread/?q={old.pk}")
    assert found.context["cl"].result_count == 1
    assert note not in found.content.decode()


def test_list_has_one_order_whatever_its_address_asks_for(admin, job):
    """A sort without an index would read the whole table. The newest row is the first."""
    submit_message(NewMessage(owner="s:" + "1" * 40, companion="culture", text="Fado?", request_id="r-2"))
    newest = [row.pk for row in Thread.objects.order_by("-pk")]
    for address in ("/admin/chat/thread/", "/admin/chat/thread/?o=3", "/admin/chat/thread/?o=-2"):
        assert [row.pk for row in admin.get(address).context["cl"].result_list] == newest, address


@pytest.mark.parametrize("model", ["thread", "message"])
def test_list_filters_by_a_companion_that_was_removed(admin, job, model):
    """P24: its conversations stay, so staff can find them, and their messages."""
    accepted = submit_message(
        NewMessage(owner="s:" + "1" * 40, companion="travel", text="When do I sow?", request_id="r-2")
    )
    Thread.objects.filter(pk=accepted.thread_id).update(companion="garden")
    address = f"/admin/chat/{model}/"
    assertContains(admin.get(address), '<a href="?companion=garden">Garden</a>', html=True)
    found = admin.get(f"{address}?companion=garden").context["cl"].queryset
    assert {getattr(row, "thread", row).companion for row in found} == {"garden"}
    assert admin.get(f"{address}?companion=travel").context["cl"].result_count == len(found)


def test_list_filtered_by_a_companion_of_no_row_says_so(admin, job):
    page = admin.get("/admin/chat/message/?companion=nowhere")
    assertContains(page, '<li class="selected"><a href="?companion=nowhere">nowhere</a></li>', html=True)
    assert page.context["cl"].result_count == 0


@pytest.mark.parametrize(
    "permission", ["", *(model._meta.label_lower for model in django_admin.site._registry)]
)
def test_staff_with_one_permission_finds_no_link_to_a_refused_page(job, permission):
    """S19: a link is a button too."""
    app, _, model = permission.partition(".")
    user = User.objects.create_user("carol", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename=f"view_{model}", content_type__app_label=app)
    )
    client = Client()
    client.force_login(user)
    assert len(follow_all(client, "/admin/", "/admin/queue", below="/admin/")) >= 2 + bool(permission)
