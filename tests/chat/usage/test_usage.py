"""Usage from the model call to the API: recorded once, shown, and limited by budgets."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message
from chat.usage.ledger import CallRecord, record
from chat.usage.models import BudgetReservation, DailyUsage, ModelCall
from queueing.api import Job
from tests.chat.browser import Browser, Tab, browser
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PRICES = '{"scripted": {"input": 1, "cached": 0.5, "output": 10}}'
#: Input tokens that the scripted provider reports.
INPUT_TOKENS = 11


@pytest.fixture
def start(qcluster, provider, settings):
    """Return a function that starts a cluster with the given settings, which the web process shares."""

    def begin(**changes: Any) -> Any:
        for name, value in changes.items():
            setattr(settings, name, value)
        environment = {name: str(value) for name, value in changes.items()}
        qcluster(**provider.publishes, **environment)
        return provider

    return begin


async def final_event(tab: Tab, *types: str) -> dict[str, Any]:
    return (await tab.receive_until(*(types or ("chat:completed",))))[-1]


async def recorded_calls() -> list[ModelCall]:
    return [call async for call in ModelCall.objects.order_by("id")]


async def usage_of(alice: Browser) -> dict[str, Any]:
    return (await alice.client.get("/api/usage")).json()


async def test_reply_shows_model_tokens_and_cost(start):
    provider = start(OPENAI_PRICES=PRICES)
    provider.script(text="One two three", cached_tokens=5)
    expected = {
        "model": "scripted",
        "usage": {"inputTokens": INPUT_TOKENS, "outputTokens": 3},
        "cost": 6 + 3 + 30,  # 2.5 for the cached tokens, rounded up
        "truncated": False,
    }
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        completed = await final_event(tab)
        assert {name: completed[name] for name in expected} == expected
        thread = (await alice.client.get(f"/api/threads/{completed['threadId']}")).json()
        assert {name: thread["messages"][1][name] for name in expected} == expected
        assert "usage" not in thread["messages"][0]
        job = (await alice.client.get(f"/api/jobs/{completed['jobId']}")).json()
        assert {name: job[name] for name in expected} == expected
        today = (await usage_of(alice))["today"]
        assert (today["tokens"], today["cost"], today["calls"]) == (14, 39, 1)
        async with browser() as bob:
            await bob.open()
            assert (await usage_of(bob))["today"]["tokens"] == 0
    (call,) = await recorded_calls()
    assert (call.companion, call.kind, call.ended) == ("travel", "chat.reply", "stop")
    assert call.thread_id.hex == completed["threadId"]


async def test_reply_without_prices_shows_tokens_and_truncation(start):
    start().script(text="It was the best of", end="length")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        completed = await final_event(tab)
        assert "cost" not in completed
        assert completed["truncated"] is True
        thread = (await alice.client.get(f"/api/threads/{completed['threadId']}")).json()
        assert thread["messages"][1]["truncated"] is True
        usage = await usage_of(alice)
        assert usage["today"]["cost"] is None
        assert usage["today"]["tokens"] > 0
        assert usage["budget"] == {"tokens": None, "cost": None}


async def test_failed_attempt_is_recorded_once_and_added(start):
    provider = start(QUEUE_OPENAI_CHAT_BACKOFF_DELAY=0.05, OPENAI_PRICES=PRICES)
    provider.script(text="One two three four", after=2, end="cut")
    provider.script(status=500)
    provider.script(text="One two three four")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        completed = await final_event(tab)
    first, second = await recorded_calls()
    assert (first.ended, first.estimated, second.ended, second.estimated) == ("failed", True, "stop", False)
    assert first.output_tokens >= 2
    total = first.output_tokens + second.output_tokens
    assert completed["usage"]["outputTokens"] == total
    assert completed["usage"]["estimated"]
    assert completed["cost"] == first.cost + second.cost
    day = await DailyUsage.objects.aget()
    assert (day.calls, day.output_tokens, day.cost) == (2, total, completed["cost"])


async def test_cancelled_reply_is_recorded_and_releases_its_reservation(start):
    provider = start(BUDGET_TOKENS_PER_DAY_ANONYMOUS=100_000)
    provider.script(text=" ".join(["on"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        job_id = (await tab.receive_until("chat:delta"))[-1]["jobId"]
        assert (await BudgetReservation.objects.aget()).job_id.hex == job_id
        await tab.send_message(type="job:cancel", jobId=job_id)
        await final_event(tab, "chat:cancelled")
    await eventually(ModelCall.objects.exists, "the usage of the stopped answer")
    (call,) = await recorded_calls()
    assert (call.ended, call.estimated) == ("cancelled", True)
    await eventually(lambda: not BudgetReservation.objects.exists(), "the reservation to go")
    day = await DailyUsage.objects.aget()
    assert (day.reserved_tokens, day.tokens) == (0, call.input_tokens + call.output_tokens)


async def test_message_over_budget_is_429_and_stores_nothing(valkey, settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 4_000
    async with browser() as alice:
        tab = await alice.open()
        answer = await alice.call("post", "/api/travel", {"message": "Where to?"})
        assert answer.status_code == 202
        owner = (await Job.objects.aget()).owner
        call = CallRecord(job_id=answer.json()["jobId"], owner=owner, model="m", input_tokens=3_900)
        await sync_to_async(record)(call)
        refused = await alice.call("post", "/api/travel", {"message": "And then?"})
        assert refused.status_code == 429
        problem = refused.json()
        assert problem["code"] == "budget_spent"
        assert "renews at midnight" in problem["detail"]
        assert 0 < problem["retryAfter"] <= 86_400
        assert int(refused["Retry-After"]) >= problem["retryAfter"] - 1
        await tab.ask(request_id="r-9")
        rejected = await final_event(tab, "chat:rejected")
        assert (rejected["code"], rejected["requestId"]) == ("budget_spent", "r-9")
        usage = await usage_of(alice)
        assert usage["budget"]["tokens"] == 4_000
        assert usage["renewsAt"]
    assert await Job.objects.acount() == 1
    assert await Message.objects.acount() == 2


async def test_budget_used_meanwhile_fails_the_job_without_retry(start, settings):
    provider = start(BUDGET_TOKENS_PER_DAY_ANONYMOUS=100)
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 0  # the web process accepts it; the worker has no room
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        failed = await final_event(tab, "chat:failed")
    assert failed["code"] == "budget_spent"
    assert not provider.requests
    assert (await Job.objects.aget()).attempts == 1


async def test_reservation_of_a_reply_suffices_and_is_released(start):
    provider = start(BUDGET_TOKENS_PER_DAY_ANONYMOUS=100_000)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        completed = await final_event(tab)
        await tab.ask("And then?", "r-2", threadId=completed["threadId"])
        await final_event(tab)
        assert len(provider.requests) == 2
        await eventually(lambda: not BudgetReservation.objects.exists(), "the reservations to go")
        day = await DailyUsage.objects.aget()
        assert (day.reserved_tokens, day.calls) == (0, 2)
        assert (await usage_of(alice))["today"]["tokens"] == day.tokens


async def test_reply_by_fallback_names_its_model(start):
    provider = start(OPENAI_FALLBACK_MODEL="second")
    provider.script(model="scripted", status=500)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        completed = await final_event(tab)
        assert completed["model"] == "second"
        thread = (await alice.client.get(f"/api/threads/{completed['threadId']}")).json()
        assert thread["messages"][1]["model"] == "second"
    assert (await Job.objects.aget()).attempts == 1
