"""Taking along and erasing: everything an owner has is in the one, and nothing of it is left by the other."""

import io
import json
import tracemalloc
import zipfile
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, models

from chat import personal_data
from chat.accounts import exporting
from chat.models import Message, Role, Thread
from queueing.api import Job, new_id

from .accounts.signing import PASSWORD, asked, posted, signed_up
from .tabs import Browser, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SECRET = "the blue heron of Alcochete"


def everything_in_the_database() -> str:
    """All rows of all tables, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(f"{table}: {cursor.fetchall()!r}")
    return "\n".join(found)


def everything_in_redis(valkey: Any) -> str:
    """All keys and values, as text."""
    client, found = redis.Redis.from_url(valkey.url), []
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
    }
    for key in client.scan_iter():
        found.append(f"{key}: {readers[client.type(key)](key)!r}")
    return "\n".join(found)


async def downloaded(alice: Browser) -> zipfile.ZipFile:
    response = await alice.client.get("/account/export/")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith('attachment; filename="buddy-')
    data = b"".join([piece async for piece in response.streaming_content])
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


async def conversed(alice: Browser) -> dict[str, Any]:
    """A conversation that has been answered, with a thumb up."""
    tab = await alice.open()
    await tab.ask(f"What is {SECRET}?")
    done = (await tab.hear_until("chat:completed"))[-1]
    await alice.call("put", f"/api/messages/{done['replyId']}/feedback", {"value": "up"})
    return done


# --- the list -------------------------------------------------------------------------------------


def test_every_table_that_names_an_owner_is_on_the_list():
    listed = {b.model for b in personal_data.belongings()}
    with_owner = [
        model
        for model in apps.get_models()
        if any(f.name == "owner" and isinstance(f, models.CharField) for f in model._meta.fields)
    ]
    assert [m.__name__ for m in with_owner if m not in listed and m._meta.app_label != "engine"] == []


# --- export ---------------------------------------------------------------------------------------


async def test_an_export_has_every_conversation_for_people_and_for_programs(workers):
    workers.script(text="A bird, **quite** blue.")
    async with browser() as alice:
        done = await conversed(alice)
        await signed_up(alice, "alice@example.org")
        archive = await downloaded(alice)
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
    assert account["email"] == "alice@example.org"
    assert PASSWORD not in str(account)
    feedback = archive.read("analytics-feedback.jsonl").decode().splitlines()
    assert len(feedback) == 1
    for name in names:
        if name.endswith(".jsonl"):
            assert all(
                isinstance(json.loads(line), dict) for line in archive.read(name).decode().splitlines()
            )


async def test_a_visitor_without_an_account_takes_along_their_own_and_nobody_elses():
    async with browser() as alice, browser() as bob:
        await asked(alice, SECRET)
        await asked(bob, "Something else")
        archive = await downloaded(bob)
        assert SECRET not in "".join(archive.read(name).decode() for name in archive.namelist())
        assert json.loads(archive.read("account.json")) == {"account": None}


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\\c:d", "…", "Ünïcödé 旅", "CON", "\u202eevil"])
def test_no_title_becomes_a_path(title):
    thread = Thread(owner="s:1", companion="travel", title=title, updated_at="2026-01-01T00:00Z")
    thread.save()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exporting.export("s:1", {}))))
    for name in archive.namelist():
        assert ".." not in name
        assert "\\" not in name
        assert name.count("/") <= 1


@pytest.mark.slow
def test_an_export_of_thousands_of_messages_takes_little_memory():
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
    assert peak < 4_000_000, "ten megabytes of messages, twice, were never in memory together"


# --- erasing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_account", [False, True])
async def test_nothing_is_left_of_who_erases_everything(workers, valkey, with_account):
    workers.script(match=SECRET, text=f"All about {SECRET}.")
    async with browser() as alice, browser() as bob:
        await asked(bob, "Bob's own")
        if with_account:
            await signed_up(alice, "alice@example.org")
            await posted(alice, "tokens/", name="Secret script", scopes=["read"], days="")
        await conversed(alice)
        workers.script(text=f"{SECRET} " * 200, delay=0.1)
        tab = await alice.open()
        await tab.ask(f"More of {SECRET}", "r-2")
        await tab.hear_until("chat:delta")
        owner = (await Thread.objects.aget(title__startswith="What is")).owner
        before = await sync_to_async(everything_in_the_database)()
        assert SECRET in before
        assert owner in before

        page = (await alice.client.get("/account/erase/")).content.decode()
        assert "2 conversations" in page
        sure = {"password": PASSWORD} if with_account else {"sure": "on"}
        done = await posted(alice, "erase/", **sure)
        assert b"Everything is erased" in done.content
        assert "storage" in done["Clear-Site-Data"]
        assert await tab.closed_with(5) == 4401
        await workers.eventually(lambda requests: requests[-1].disconnected)

    left = await sync_to_async(everything_in_the_database)() + everything_in_redis(valkey)
    for trace in (owner, SECRET, "alice@example.org", "Secret script"):
        assert trace not in left, left[left.index(trace) - 300 : left.index(trace) + 100]
    assert "Bob's own" in left
    assert await User.objects.acount() == 0


async def test_erasing_wants_the_password_or_a_tick():
    async with browser() as alice:
        await asked(alice)
        await posted(alice, "erase/")
        assert await Thread.objects.acount() == 1
        await signed_up(alice)
        wrong = await posted(alice, "erase/", password="guess")
        assert b"This is not your password" in wrong.content
        assert await Thread.objects.acount() == 1


async def test_what_a_worker_tells_of_an_erased_job_is_not_written(workers):
    """Its call ends a moment after everything was erased; what it used belongs to nobody."""
    workers.script(text="word " * 50, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Talk")
        await tab.hear_until("chat:delta")
        await posted(alice, "erase/", sure="on")
        await workers.eventually(lambda requests: requests[-1].disconnected)
        assert await Job.objects.acount() == 0
