"""P14: what changes the list of conversations is reported to all tabs of its owner, and to no stranger."""

import pytest

from chat.accounts.personal_data.erasing import erase
from chat.conversations.threads import delete_message
from chat.models import Message
from queueing.api import Job
from queueing.api.sockets import in_thread
from tests.chat.browser import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_deleted_and_renamed_conversation_is_reported_to_all_tabs():
    async with browser() as alice, browser() as bob:
        tabs, stranger = [await alice.open(), await alice.open()], await bob.open()
        await tabs[0].ask()
        thread_id = (await tabs[0].receive_until("chat:queued"))[-1]["threadId"]
        await alice.call("patch", f"/api/threads/{thread_id}", {"title": "Lisbon"})
        for tab in tabs:
            renamed = (await tab.receive_until("thread:renamed"))[-1]
            assert (renamed["threadId"], renamed["title"]) == (thread_id, "Lisbon")
        await alice.call("delete", f"/api/threads/{thread_id}")
        for tab in tabs:
            assert (await tab.receive_until("thread:deleted"))[-1]["threadId"] == thread_id
        assert await stranger.receive_nothing()


async def test_message_that_staff_deletes_is_removed_from_all_tabs():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = (await tab.receive_until("chat:queued"))[-1]
        message = await Message.objects.select_related("thread").aget(pk=queued["messageId"])
        await in_thread(delete_message)(message)
        removed = (await tab.receive_until("thread:removed"))[-1]
        assert (removed["threadId"], removed["messageIds"]) == (queued["threadId"], [queued["messageId"]])


async def test_erased_owner_is_reported_before_the_tabs_are_closed():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = (await tab.receive_until("chat:queued"))[-1]
        owner = (await Job.objects.aget(pk=queued["jobId"])).owner
        await in_thread(erase)(owner)
        await tab.receive_until("owner:erased")
        assert await tab.receive_close_code() == 4401
