"""Deleting in the admin erases as the owner's own page does (S18)."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.conversations.messages import NewMessage
from chat.intake import submit_message
from chat.models import Message, Thread
from queueing.api import Job, State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def admin() -> Client:
    User.objects.create_superuser("root", password="of-the-tests")
    client = Client()
    client.login(username="root", password="of-the-tests")
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
