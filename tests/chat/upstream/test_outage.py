"""The provider is down for a while: questions, recordings and documents wait, and none is lost (K3, K4).

`FIRST_PROBE` is 0.4 s in tests instead of 5 s.
"""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from queueing.api import Job, State, events
from queueing.api.monitoring import queue_health
from queueing.models import FailedAttempt
from tests.chat.browser import browser
from tests.chat.documents.document_requests import submit_document
from tests.chat.questions import submit_question
from tests.chat.voice.recording_requests import submit_recording
from tests.provider.fixture import Provider
from tests.support.valkey import eventually, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def ask(number: int, text: str = "Where to?") -> None:
    submit_question(owner=f"s:{number}", companion="travel", text=f"{text} {number}", request_id="r")


def outages() -> list[str]:
    """Return the queues of which the health says that the provider does not answer."""
    health = async_to_sync(queue_health)()
    return [queue["name"] for queue in health["queues"] if queue.get("outage")]


def all_completed() -> bool:
    return not Job.objects.exclude(state=State.COMPLETED).exists()


def go_down(provider: Provider, how: str) -> None:
    if how == "refused":
        provider.refuse_connections()
    else:
        provider.script(status=int(how), times=0)


def come_back(provider: Provider, how: str) -> None:
    provider.accept_connections() if how == "refused" else provider.reset()


@pytest.mark.parametrize("how", ["503", "refused", "502"])
def test_outage_is_waited_out(workers, how):
    go_down(workers, how)
    for number in range(5):
        ask(number)
    wait_until(outages, "the outage to be known")
    assert set(outages()) == {"openai-chat", "large-requests", "background"}
    wait_until(lambda: FailedAttempt.objects.count() >= 5, "a probe")
    assert len(workers.requests) <= 9
    come_back(workers, how)
    wait_until(all_completed, "all answers")
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}, "no attempt is spent"
    assert set(FailedAttempt.objects.values_list("outcome", flat=True)) == {"outage"}
    wait_until(lambda: not outages(), "the end to be known")


def test_outage_with_internal_errors_is_waited_out(workers):
    workers.script(status=500, times=0)
    for number in range(5):
        ask(number)
    wait_until(outages, "the outage to be known")
    workers.reset()
    wait_until(all_completed, "all answers")


def test_outage_with_a_single_question_is_reported_and_waited_out(workers):
    """K3: with one question nothing shows whose fault it is, so it waits, and says why."""
    workers.script(status=503, times=0)
    ask(1)
    wait_until(lambda: len(workers.requests) == 3, "three tries")
    wait_until(lambda: Job.objects.get().state == State.DELAYED, "the wait")
    wait = async_to_sync(events.standing_of)(Job.objects.get()).wait
    assert (wait["reason"], wait["high"]) == ("provider", None)
    workers.reset()
    wait_until(all_completed, "the answer")
    assert Job.objects.get().attempts == 1


def test_poison_question_fails_alone_after_its_attempts(workers):
    """K3: what is wrong with one request alone still fails alone."""
    workers.script(status=500, match="poison", times=0)
    ask(0, "poison")
    workers.wait_for(lambda requests: requests)
    for number in range(1, 9):
        ask(number)
    wait_until(lambda: Job.objects.filter(state=State.COMPLETED).count() == 8, "all others")
    wait_until(lambda: Job.objects.filter(state=State.FAILED).exists(), "the failure")
    assert not FailedAttempt.objects.exclude(job=Job.objects.get(state=State.FAILED)).exists()


def test_question_that_always_gets_429_fails_alone(workers):
    """K4: the others are tried in its place, and are answered."""
    workers.script(status=429, headers={"retry-after": "0.4"}, match="poison", times=0)
    ask(0, "poison")
    wait_until(FailedAttempt.objects.exists, "the first refusal")
    for number in range(1, 9):
        ask(number)
    wait_until(lambda: Job.objects.filter(state=State.COMPLETED).count() == 8, "all others")
    failed = wait_until(lambda: Job.objects.filter(state=State.FAILED).first(), "the failure")
    assert failed.error_code == "rate_limited"
    assert sum("poison" in str(request.json) for request in workers.requests) <= 5
    assert not FailedAttempt.objects.exclude(job=failed).exists()


async def test_outage_is_reported_to_the_page_and_all_kinds_of_job_wait(workers):
    workers.script(status=503, times=0)
    async with browser() as alice:
        tab = await alice.open()
        await submit_recording(alice)
        await submit_document(alice)
        await tab.ask("Where to?", "r-1")
        await tab.ask("And then?", "r-2")
        told = await tab.receive_until("chat:retrying")
        assert told[-1]["reason"] == "The companion's model does not answer at the moment."
        waits: list[Any] = []
        while not any(wait["reason"] == "provider" and wait["high"] is None for wait in waits):
            received = await tab.receive_until("chat:position", "analysis:position", "audio:position")
            waits.append(received[-1]["estimatedWait"])
        status = (await alice.client.get("/api/queue/status")).json()
        assert {queue["name"]: queue["outage"] for queue in status["queues"]}["openai-chat"]
        workers.reset()
        await eventually(all_completed, "all jobs")
    attempts = await sync_to_async(lambda: set(Job.objects.values_list("attempts", flat=True)))()
    assert attempts == {1}


def test_outage_of_the_first_model_is_answered_by_the_fallback(qcluster, provider):
    """K3: a fallback takes over, without a call of the first model for each question."""
    qcluster(**provider.publishes, OPENAI_FALLBACK_MODEL="second")
    provider.script(model="scripted", status=503, times=0)
    for number in range(12):
        ask(number)
    wait_until(all_completed, "all answers")
    models = [request.json["model"] for request in provider.requests]
    assert models.count("second") == 12
    assert models.count("scripted") <= 6
    assert not FailedAttempt.objects.exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("questions", [1, 6])
def test_outage_of_a_minute_takes_a_handful_of_calls(qcluster, provider, questions):
    """K3 with the times of real life."""
    qcluster(**provider.publishes, TEST_FIRST_PROBE="5")
    provider.script(status=503, times=0)
    for number in range(questions):
        ask(number)
    first = provider.wait_for(lambda requests: requests) or provider.requests[0].started
    wait_until(lambda: provider.requests[-1].started > first + 30, "the last try within a minute", timeout=70)
    during = len(provider.requests)
    assert during <= 8
    provider.reset()
    wait_until(all_completed, "all answers", timeout=150)
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
