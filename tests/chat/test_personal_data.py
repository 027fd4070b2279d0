"""Export and erasing: the export contains all data of an owner, and erasing leaves nothing of it."""

import io
import json
import tracemalloc
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from chat import personal_data
from chat.accounts.pages import exporting
from chat.models import Message, Role, Thread
from queueing.api import Job, new_id, pause
from tests.support.stores import everything_in_redis, everything_in_the_database

from .accounts.account_client import PASSWORD, send_message, sign_up, sign_up_with_address, submit_form
from .browser import Browser, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SECRET = "the blue heron of Alcochete"


async def download_export(alice: Browser) -> zipfile.ZipFile:
    response = await alice.client.get("/account/export/")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith('attachment; filename="buddy-')
    data = b"".join([piece async for piece in response.streaming_content])
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


async def create_conversation(alice: Browser) -> dict[str, Any]:
    """Create a conversation with a reply and a thumbs up; return the completed event."""
    tab = await alice.open()
    await tab.ask(f"What is {SECRET}?")
    done = (await tab.receive_until("chat:completed"))[-1]
    await alice.call("put", f"/api/messages/{done['replyId']}/feedback", {"value": "up"})
    return done


# --- registry -------------------------------------------------------------------------------------


def test_every_model_with_an_owner_is_registered():
    listed = {b.model for b in personal_data.entries()}
    with_owner = [
        model
        for model in apps.get_models()
        if any(f.name == "owner" and isinstance(f, models.CharField) for f in model._meta.fields)
    ]
    assert [m.__name__ for m in with_owner if m not in listed and m._meta.app_label != "engine"] == []


# --- export ---------------------------------------------------------------------------------------


async def test_export_contains_conversations_as_markdown_and_json(workers, mail_server):
    await sync_to_async(pause)("mail")  # the test delivers the mails, not the workers
    workers.script(text="A bird, **quite** blue.")
    async with browser() as alice:
        done = await create_conversation(alice)
        await sign_up_with_address(alice)
        archive = await download_export(alice)
    names = archive.namelist()
    (markdown,) = [name for name in names if name.endswith(".md")]
    (as_json,) = [name for name in names if name.startswith("threads/") and name.endswith(".json")]
    text = archive.read(markdown).decode()
    assert f"What is {SECRET}?" in text
    assert "A bird, **quite** blue." in text
    thread = json.loads(archive.read(as_json))
    assert thread["id"] == done["threadId"]
    assert [m["role"] for m in thread["messages"]] == ["user", "assistant"]
    account = json.loads(archive.read("account.json"))["account"]
    assert (account["email"], account["emailIsVerified"]) == ("alice@example.org", True)
    assert PASSWORD not in str(account)
    feedback = archive.read("analytics-feedback.jsonl").decode().splitlines()
    assert len(feedback) == 1
    for name in names:
        if name.endswith(".jsonl"):
            assert all(
                isinstance(json.loads(line), dict) for line in archive.read(name).decode().splitlines()
            )


async def test_export_without_account_contains_only_own_data():
    async with browser() as alice, browser() as bob:
        await send_message(alice, SECRET)
        await send_message(bob, "Something else")
        archive = await download_export(bob)
        assert SECRET not in "".join(archive.read(name).decode() for name in archive.namelist())
        assert json.loads(archive.read("account.json")) == {"account": None}


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\\c:d", "…", "Ünïcödé 旅", "CON", "\u202eevil"])
def test_export_file_names_never_leave_their_folder(title):
    thread = Thread(owner="s:1", companion="travel", title=title, updated_at="2026-01-01T00:00Z")
    thread.save()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exporting.export("s:1", {}))))
    assert all(file.date_time[0] >= 2026 for file in archive.infolist()), "O20: the files have dates"
    for name in archive.namelist():
        assert ".." not in name
        assert "\\" not in name
        assert name.count("/") <= 1


@pytest.mark.slow
def test_export_of_thousands_of_messages_needs_little_memory():
    thread = Thread.objects.create(
        owner="s:1", companion="travel", title="Long", updated_at="2026-01-01T00:00Z"
    )
    words = "x" * 2000
    many = (
        Message(thread=thread, role=Role.USER, content=f"{n} {words}", job_id=new_id()) for n in range(5000)
    )
    Message.objects.bulk_create(many, batch_size=500)
    tracemalloc.start()
    size = sum(len(piece) for piece in exporting.export("s:1", {}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 20_000
    assert peak < 4_000_000, "the ten megabytes of messages must not be in memory together"


# --- erasing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_account", [False, True])
async def test_erase_leaves_no_trace_of_the_owner(workers, valkey, mail_server, with_account):
    await sync_to_async(pause)("mail")
    workers.script(match=SECRET, text=f"All about {SECRET}.", thoughts=f"Hm, {SECRET}?")
    async with browser() as alice, browser() as bob:
        await send_message(bob, "Bob's own")
        if with_account:
            await sign_up_with_address(alice)
            await submit_form(alice, "tokens/", name="Secret script", scopes=["read"], days="")
        await create_conversation(alice)
        workers.script(text=f"{SECRET} " * 200, delay=0.1)
        tab = await alice.open()
        await tab.ask(f"More of {SECRET}", "r-2")
        await tab.receive_until("chat:delta")
        owner = (await Thread.objects.aget(title__startswith="What is")).owner
        before = await sync_to_async(everything_in_the_database)()
        assert SECRET in before
        assert owner in before

        page = (await alice.client.get("/account/erase/")).content.decode()
        assert "2 conversations" in page
        fields = {"password": PASSWORD} if with_account else {"confirmed": "on"}
        done = await submit_form(alice, "erase/", **fields)
        assert b"Your data has been erased" in done.content
        assert "storage" in done["Clear-Site-Data"]
        assert await tab.receive_close_code(5) == 4401
        await workers.eventually(lambda requests: requests[-1].disconnected)

    left = await sync_to_async(everything_in_the_database)() + everything_in_redis(valkey.client)
    for trace in (owner, SECRET, "alice@example.org", "Secret script"):
        assert trace not in left, left[left.index(trace) - 300 : left.index(trace) + 100]
    assert "Bob's own" in left
    assert await User.objects.acount() == 0


async def test_erase_without_password_or_confirmation_is_refused():
    async with browser() as alice:
        await send_message(alice)
        await submit_form(alice, "erase/")
        assert await Thread.objects.acount() == 1
        await sign_up(alice)
        wrong = await submit_form(alice, "erase/", password="guess")
        assert b"This is not your password" in wrong.content
        assert await Thread.objects.acount() == 1


async def test_usage_of_an_erased_job_is_not_stored(workers):
    """The model call ends a moment after the erasing; its usage has no owner any more."""
    workers.script(text="word " * 50, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Talk")
        await tab.receive_until("chat:delta")
        await submit_form(alice, "erase/", confirmed="on")
        await workers.eventually(lambda requests: requests[-1].disconnected)
        assert await Job.objects.acount() == 0
