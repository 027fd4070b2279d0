"""S23: erasing wins every race. Nothing of an owner is left, whatever was being written for it."""

import asyncio
import random
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chat import intake
from chat.accounts.models import ErasedOwner
from chat.accounts.personal_data.erasing import erase, erase_if_late, forget_erased
from chat.models import Message, Thread
from queueing.api import Job, redis
from tests.chat.accounts.account_client import PASSWORD, send_message, sign_up, submit_form
from tests.chat.browser import browser
from tests.support.stores import everything_in_redis, everything_in_the_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SECRET = "heron-of-Alcochete"

#: Turns on everything that is written for an owner.
EVERYTHING = {
    "TEST_ANSWER_CACHE_SECONDS": "1000",
    "THREAD_TITLES": "1",
    "BUDGET_TOKENS_PER_DAY": "100000000",
    "BUDGET_TOKENS_PER_DAY_ANONYMOUS": "100000000",
    "QUEUE_OPENAI_CHAT_CONCURRENCY": "30",
}


def traces_left(owners: set[str]) -> str:
    """Return the first trace of the owners in the stores with what surrounds it; empty if there is none."""
    left = everything_in_the_database() + everything_in_redis(redis.client())
    for trace in (SECRET, *owners):
        if trace in left:
            return left[max(0, left.index(trace) - 300) : left.index(trace) + 100]
    return ""


async def ask_and_erase(n: int, owners: set[str], wait: float) -> None:
    """Ask a question, and erase everything `wait` seconds later."""
    async with browser() as alice:
        if with_account := n % 4 == 0:
            await sign_up(alice, f"alice{n}")
        tab = await alice.open()
        # The first question of a shared companion: its answer may be stored for everybody.
        await tab.ask(f"What is the {SECRET} number {n}?", companion="culture")
        await tab.receive_until("chat:queued")
        owners.add((await Thread.objects.aget(title__contains=f"number {n}?")).owner)
        await asyncio.sleep(wait)
        fields = {"password": PASSWORD} if with_account else {"confirmed": "on"}
        done = await submit_form(alice, "erase/", **fields)
        assert b"Your data has been erased" in done.content


async def test_erase_at_any_moment_of_an_answer_leaves_nothing(qcluster, provider, settings):
    settings.ANSWER_CACHE_SECONDS, settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 1000, 100_000_000
    settings.BUDGET_TOKENS_PER_DAY = 100_000_000
    provider.script(
        text=f"The {SECRET} " * 8, delay=0.03, thoughts=f"Hm, {SECRET}? " * 4, match=SECRET, times=0
    )
    cluster = qcluster(**provider.publishes, **EVERYTHING)
    owners: set[str] = set()
    moments = [random.uniform(0, 1.5) for _ in range(20)]
    await asyncio.gather(*(ask_and_erase(n, owners, wait) for n, wait in enumerate(moments)))
    await asyncio.to_thread(cluster.stop)  # from here on no process writes
    assert len(owners) == 20
    assert await sync_to_async(traces_left)(owners) == ""


async def test_message_in_progress_while_its_owner_is_erased_is_erased(monkeypatch):
    """The request had passed every check when the owner was erased; over HTTP and over a socket."""

    def erase_first(function):
        def late(*args, **kwargs):
            erase(args[0].owner)
            return function(*args, **kwargs)

        return late

    monkeypatch.setattr(intake, "submit_message", erase_first(intake.submit_message))
    async with browser() as alice:
        assert (await send_message(alice))["jobId"]
        tab = await alice.open()
        await tab.ask()
        assert await tab.receive_close_code(5) == 4401
    assert await Thread.objects.acount() == await Job.objects.acount() == await Message.objects.acount() == 0


def test_erased_owner_is_remembered_for_a_day_without_its_key():
    erase("s:alice")
    assert erase_if_late("s:alice")
    assert not erase_if_late("s:bob")
    assert "s:alice" not in everything_in_the_database()
    assert forget_erased() == 0
    ErasedOwner.objects.update(erased_at=timezone.now() - timedelta(days=1, minutes=1))
    assert forget_erased() == 1
    assert not erase_if_late("s:alice")
