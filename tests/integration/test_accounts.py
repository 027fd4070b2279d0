"""Accounts: what visitors had comes with them, and nobody gets in who should not."""

import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import AsyncClient

from chat.accounts.models import SignIn
from chat.accounts.moving import move
from chat.models import Message, Thread
from queueing import schedule
from queueing.models import Job
from tests.integration.tabs import Browser, browser, eventually, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PASSWORD = "long-and-own-4711"


async def posted(alice: Browser, path: str, follow: bool = False, **fields: Any) -> Any:
    """A form of the account's pages, sent as the page sends it."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/account/sign-in/")
    token = alice.client.cookies["csrftoken"].value
    return await alice.client.post(f"/account/{path}", fields | {"csrfmiddlewaretoken": token}, follow=follow)


async def signed_up(alice: Browser, name: str = "alice", **more: Any) -> Any:
    return await posted(alice, "sign-up/", username=name, password1=PASSWORD, password2=PASSWORD, **more)


async def signed_in(alice: Browser, name: str = "alice", password: str = PASSWORD, **more: Any) -> Any:
    return await posted(alice, "sign-in/", username=name, password=password, **more)


def strict() -> Browser:
    """A browser whose forged requests are refused."""
    one = Browser()
    one.client = AsyncClient(enforce_csrf_checks=True)
    return one


async def asked(alice: Browser, text: str = "Where to?") -> dict[str, Any]:
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/")
    return (await alice.call("post", "/api/travel", {"message": text})).json()


async def titles(alice: Browser) -> list[str]:
    return [t["title"] for t in (await alice.client.get("/api/threads")).json()["threads"]]


# --- what comes along -----------------------------------------------------------------------------


async def test_signing_up_keeps_the_conversations_of_the_visitor():
    async with browser() as alice:
        await asked(alice, "From before")
        response = await signed_up(alice)
        assert (response.status_code, response["Location"]) == (302, "/")
        assert await titles(alice) == ["From before"]
        user = await User.objects.aget()
        assert {thread.owner async for thread in Thread.objects.all()} == {f"u:{user.pk}"}
        assert {job.owner async for job in Job.objects.all()} == {f"u:{user.pk}"}


async def test_signing_in_adds_them_to_what_the_user_has_elsewhere():
    async with browser() as laptop, browser() as phone:
        await asked(laptop, "On the laptop")
        await signed_up(laptop)
        await asked(phone, "On the phone")
        await signed_in(phone)
        assert sorted(await titles(phone)) == ["On the laptop", "On the phone"]
        assert sorted(await titles(laptop)) == ["On the laptop", "On the phone"]


async def test_signing_out_leaves_nothing_to_the_next_visitor():
    async with browser() as alice:
        await signed_up(alice)
        await asked(alice)
        await posted(alice, "sign-out/")
        assert await titles(alice) == []


async def test_the_same_request_id_before_and_after_does_not_stop_the_move():
    async with browser() as alice, browser() as bob:
        for one in (alice, bob):
            await one.client.get("/")
            await one.call("post", "/api/travel", {"message": "Hi", "requestId": "r-1"})
        await signed_up(alice)
        await signed_in(bob)
        assert len(await titles(bob)) == 2


async def test_what_came_late_is_fetched_with_the_next_page():
    async with browser() as alice:
        await asked(alice, "Early")
        old = (await Thread.objects.aget()).owner
        await signed_up(alice)
        late = await Thread.objects.aget()
        await Thread.objects.filter(pk=late.pk).aupdate(owner=old)
        assert await titles(alice) == []
        await alice.client.get("/")
        assert await titles(alice) == ["Early"]


async def test_an_answer_on_its_way_goes_on_for_the_user(workers):
    workers.script(text="one two three four five six seven eight " * 5, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        await signed_up(alice)
        assert await tab.closed_with(5) == 4401
        again = await alice.open()
        await again.say(type="job:watch", jobId=first["jobId"])
        heard = await again.hear_until("chat:completed")
        deltas = [event for event in heard if event["type"] == "chat:delta"]
        assert len(deltas) > 5, "it streams on, and is not only told at its end"
        assert text_of(heard) == heard[-1]["response"]
        assert (await alice.client.get(f"/api/jobs/{first['jobId']}")).json()["status"] == "completed"


async def test_an_answer_on_its_way_can_be_cancelled_by_the_user_and_nothing_is_left_in_redis(
    workers, valkey
):
    workers.script(text="word " * 500, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Talk, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        waiting = await asked(alice, "And this waits")
        await signed_up(alice)
        again = await alice.open()
        for job_id in (first["jobId"], waiting["jobId"]):
            await again.say(type="job:cancel", jobId=job_id)
        await again.hear_until("chat:cancelled")
        await eventually(lambda: workers.requests[0].disconnected, "the call to end")

        def counts() -> list[Any]:
            keys = [schedule.queue_key("openai-chat", name) for name in ("held", "busy")]
            return [valkey.client.hgetall(key) for key in keys]

        await eventually(lambda: counts() == [{}, {}], "what was charged to be given back")


async def test_the_events_of_a_moved_job_are_read_over_http_as_well(workers):
    workers.script(text="one two three " * 10, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        await signed_up(alice)
        response = await alice.client.get(f"/api/jobs/{first['jobId']}/events")
        told = b"".join([piece async for piece in response.streaming_content]).decode()
        assert told.count("event: chat:delta") > 3
        assert "event: chat:completed" in told


# --- who does not get in --------------------------------------------------------------------------


async def test_a_session_from_before_opens_nothing_after_signing_in():
    """Session fixation: who planted the cookie is not signed in with it."""
    async with browser() as alice, browser() as mallory:
        await asked(alice, "Mine")
        planted = alice.client.cookies["sessionid"].value
        await signed_up(alice)
        assert alice.client.cookies["sessionid"].value != planted
        mallory.client.cookies["sessionid"] = planted
        assert await titles(mallory) == []
        assert not await Session.objects.filter(session_key=planted).aexists()


@pytest.mark.parametrize("path", ["sign-in/", "sign-up/", "sign-out/", "password/", "tokens/", "erase/"])
async def test_forms_from_elsewhere_are_refused(path):
    alice = strict()
    await alice.client.get("/")
    response = await alice.client.post(f"/account/{path}", {"username": "x", "sure": "on"})
    assert response.status_code == 403


@pytest.mark.parametrize("page", ["sign-in/", "sign-up/"])
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "https:evil.example", "/\\evil.example", "javascript:x"],
)
async def test_next_leads_nowhere_else(page, target):
    async with browser() as alice:
        if page == "sign-in/":
            await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
            response = await signed_in(alice, next=target)
        else:
            response = await signed_up(alice, next=target)
        assert (response.status_code, response["Location"]) == (302, "/")


async def test_next_leads_to_pages_of_ours():
    async with browser() as alice:
        assert (await signed_up(alice, next="/account/"))["Location"] == "/account/"


async def test_a_wrong_password_and_a_wrong_name_are_answered_alike():
    await sync_to_async(User.objects.create_user)("alice", "alice@example.org", PASSWORD)
    async with browser() as alice:
        wrong = await signed_in(alice, "alice", "nope")
        unknown = await signed_in(alice, "nobody", "nope")
        strip = lambda r, name: re.sub(r'value="[^"]*"', "", r.content.decode()).replace(name, "")  # noqa: E731
        assert strip(wrong, "alice") == strip(unknown, "nobody")
        assert wrong.status_code == unknown.status_code == 200


async def test_an_email_address_is_a_name_in_any_case():
    async with browser() as alice, browser() as phone:
        await signed_up(alice, "Alice@Example.org")
        assert (await User.objects.aget()).email == "alice@example.org"
        assert (await signed_in(phone, "ALICE@example.ORG")).status_code == 302
        taken = await signed_up(phone, "alice@EXAMPLE.org")
        assert b"already exists" in taken.content


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("alice", "12345678", b"entirely numeric"),
        ("alice", "password", b"too common"),
        ("alicealice", "alicealice", b"too similar"),
        ("alice", "short", b"too short"),
        ("a b", PASSWORD, b"valid username"),
        ("alice@", PASSWORD, b"is none"),
    ],
)
async def test_signing_up_says_what_is_wrong_and_makes_nobody(name, password, says):
    async with browser() as alice:
        response = await posted(alice, "sign-up/", username=name, password1=password, password2=password)
        assert says in response.content
        assert not await User.objects.aexists()


async def test_guessing_passwords_is_slowed_down(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
    await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
    async with browser() as mallory:
        for _ in range(3):
            assert (await signed_in(mallory, password="guess")).status_code == 200
        refused = await signed_in(mallory)
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 61
        assert b"too many attempts" in refused.content


# --- passwords ------------------------------------------------------------------------------------


async def test_another_password_signs_all_other_devices_out_and_closes_their_sockets():
    async with browser() as laptop, browser() as phone:
        await signed_up(laptop)
        await signed_in(phone)
        tab = await phone.open()
        response = await posted(
            laptop,
            "password/",
            old_password=PASSWORD,
            new_password1="another-4711",
            new_password2="another-4711",
        )
        assert response.status_code == 302
        assert await tab.closed_with(8) == 4401
        assert b"alice" in (await laptop.client.get("/account/")).content
        assert b"without an account" in (await phone.client.get("/account/")).content
        assert await SignIn.objects.acount() == 1


async def test_a_forgotten_password_is_replaced_by_mail(settings):
    settings.EMAIL_HOST = "mail.example.org"
    async with browser() as laptop, browser() as phone:
        await signed_up(laptop, "alice@example.org")
        unknown = await posted(phone, "reset/", follow=True, email="nobody@example.org")
        known = await posted(phone, "reset/", follow=True, email="alice@example.org")
        assert unknown.content == known.content
        (sent,) = mail.outbox
        link = re.search(r"http://testserver(/account/reset/\S+)", sent.body)[1]  # type: ignore[index]
        form = await phone.client.get(link, follow=True)
        token = phone.client.cookies["csrftoken"].value
        await phone.client.post(
            form.request["path"],
            {"new_password1": "another-4711", "new_password2": "another-4711", "csrfmiddlewaretoken": token},
        )
        assert (await signed_in(phone, "alice@example.org", "another-4711")).status_code == 302
        assert b"without an account" in (await laptop.client.get("/account/")).content
        assert b"This link is over" in (await phone.client.get(link, follow=True)).content


async def test_without_mail_no_reset_is_offered():
    async with browser() as alice:
        assert (await alice.client.get("/account/reset/")).status_code == 404
        assert b"Forgotten" not in (await alice.client.get("/account/sign-in/")).content


# --- moving, from within --------------------------------------------------------------------------


async def test_moving_while_a_worker_ends_jobs_moves_everything(workers):
    async with browser() as alice:
        for n in range(6):
            await asked(alice, f"Question {n}")
        old = (await Thread.objects.afirst()).owner
        await sync_to_async(move)(old, "u:77")
        await eventually(
            lambda: Job.objects.filter(state="completed", kind="chat.reply").count() == 6, "all answers"
        )
    assert {job.owner async for job in Job.objects.all()} == {"u:77"}
    assert await Message.objects.filter(role="assistant", content="").acount() == 0
