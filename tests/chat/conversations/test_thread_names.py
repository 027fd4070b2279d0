"""Clients that name their threads themselves, and the calls of the reference design (issue 17)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from chat.conversations.messages import NewMessage
from chat.conversations.services import submit_question
from chat.models import Thread, ThreadName
from tests.chat.accounts.account_client import sign_in, sign_up
from tests.chat.browser import Browser, browser
from tests.chat.http.visitor import Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: A call as clients of the reference design send it, also with fields that mean nothing here.
CALL = {
    "messages": [{"role": "user", "content": "Hello"}],
    "threadId": "thread_123",
    "userId": "user_123",
    "metadata": {"source": "web"},
}
NAMES = ["thread_123", "thread_abCD0123456789efGHij", "1", "my-chat", "a.b:c", "x" * 64]


async def ask_as(alice: Browser, name: str, companion: str = "travel") -> str:
    """Ask in the thread with this name; return its id."""
    response = await alice.call("post", f"/api/{companion}", {"message": "Hi", "threadId": name})
    assert response.status_code == 202, response.content
    return str(response.json()["threadId"])


@pytest.mark.parametrize("name", NAMES)
async def test_name_of_a_client_means_the_same_thread_again(name: str):
    alice = Visitor()
    first = await alice.ask(threadId=name, requestId="r-1")
    again = await alice.ask("And when?", threadId=name, requestId="r-2")
    by_id = await alice.ask("And who?", threadId=first["threadId"], requestId="r-3")
    assert first["threadId"] == again["threadId"] == by_id["threadId"]
    assert await Thread.objects.acount() == 1


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "thread/1", "é", "\0", 7, [], "{thread}"])
async def test_name_with_other_characters_is_refused(name: Any):
    response = await Visitor().call("POST", "/api/travel", {"message": "x", "threadId": name})
    assert (response.status_code, response.json()["field"]) == (422, "threadId")
    assert not await Thread.objects.aexists()


async def test_unknown_id_is_no_name():
    """A wrong id stays an error: it may be of another owner."""
    response = await Visitor().call("POST", "/api/travel", {"message": "x", "threadId": "0" * 32})
    assert response.status_code == 404


async def test_calls_of_the_reference_design_are_accepted_by_every_companion():
    """`POST /api/<companion>` and frames on the socket, with the same thread for all four companions."""
    async with browser() as alice:
        tab = await alice.open()
        for companion in ("corporate", "travel", "emotional", "culture"):
            over_http = await alice.call("post", f"/api/{companion}", CALL | {"assistantId": companion})
            assert over_http.status_code == 202, over_http.content
            frame = {"type": "chat:message", "requestId": f"req_{companion}", "assistantId": companion}
            await tab.send_message(**CALL | frame)
            while (queued := await tab.receive_event()).get("requestId") != frame["requestId"]:
                pass
            assert queued["type"] == "chat:queued"
            assert queued["threadId"] == over_http.json()["threadId"]
        await tab.send_message(type="ping")
        assert (await tab.receive_until("pong"))[-1] == {"type": "pong", "t": None}
        tracked = await alice.call(
            "post", "/api/analytics/track", {"name": "x:page_view", "userId": "user_123"}
        )
        assert tracked.status_code == 202
        assert (await alice.client.get("/api/queue/status")).status_code == 200
    assert await Thread.objects.acount() == 4


async def test_document_in_a_named_thread_is_in_the_thread_of_the_messages():
    async with browser() as alice:
        tab = await alice.open()
        thread = await ask_as(alice, "thread_123")
        text = "Ships. " * 50
        await tab.send_message(
            type="analysis:large", requestId="req_1", companion="travel", threadId="thread_123", text=text
        )
        queued = await tab.receive_until("analysis:queued")
        assert queued[-1]["threadId"] == thread


async def test_name_of_another_owner_is_another_thread():
    async with browser() as alice, browser() as bob:
        for one in (alice, bob):
            await one.open()
        assert await ask_as(alice, "thread_123") != await ask_as(bob, "thread_123")
        assert len((await bob.client.get("/api/threads")).json()["threads"]) == 1


async def test_name_stays_after_signing_up_and_in():
    """The names follow the conversations. With two threads of a name, it means that of the account."""
    async with browser() as laptop, browser() as phone:
        for one in (laptop, phone):
            await one.open()
        thread, other = await ask_as(laptop, "thread_123"), await ask_as(phone, "thread_123")
        only_on_the_phone = await ask_as(phone, "thread_456")
        await sign_up(laptop)
        assert await ask_as(laptop, "thread_123") == thread
        await sign_in(phone)
        assert await ask_as(phone, "thread_123") == thread
        assert await ask_as(laptop, "thread_456") == only_on_the_phone
        threads = {one["id"] for one in (await phone.client.get("/api/threads")).json()["threads"]}
        assert threads == {thread, other, only_on_the_phone}


async def test_name_of_a_deleted_thread_begins_a_new_one():
    async with browser() as alice:
        await alice.open()
        thread = await ask_as(alice, "thread_123")
        assert (await alice.call("delete", f"/api/threads/{thread}")).status_code == 204
        assert await ask_as(alice, "thread_123") != thread
    assert await ThreadName.objects.acount() == 1


async def test_refused_message_leaves_no_name():
    response = await Visitor().call("POST", "/api/travel", {"message": " ", "threadId": "thread_123"})
    assert response.status_code == 422
    assert not await ThreadName.objects.aexists()


def _ask(number: int) -> str:
    try:
        return submit_question(
            NewMessage(
                owner="s:alice",
                companion="travel",
                text="Hi",
                request_id=f"r-{number}",
                thread_id="thread_123",
            )
        ).thread_id
    finally:
        connections.close_all()


def check_that_many_tabs_at_once_get_one_thread() -> None:
    with ThreadPoolExecutor(8) as pool:
        threads = set(pool.map(_ask, range(8)))
    assert len(threads) == 1
    assert Thread.objects.count() == ThreadName.objects.count() == 1


def test_name_used_by_many_tabs_at_once_is_one_thread():
    check_that_many_tabs_at_once_get_one_thread()


def test_name_used_by_many_tabs_at_once_is_one_thread_on_postgresql(postgres: Any):
    check_that_many_tabs_at_once_get_one_thread()
