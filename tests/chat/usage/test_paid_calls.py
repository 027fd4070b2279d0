"""O18: every paid call reserves from the budget before it runs, and is charged also if nothing is reported.

The kinds come from the engine's registry: a new kind whose queue has a provider needs a sample here.
"""

import ast
import io
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from chat.documents.services import AnalysisRequest, analyse_text
from chat.errors import LimitReached
from chat.limits.addresses import network_name
from chat.models import Message, Role, Thread
from chat.usage.ledger import usage_today
from chat.usage.models import BudgetReservation, ModelCall
from chat.voice.services import TranscriptionRequest, transcribe_file
from queueing.api import Job, new_id, submit
from queueing.kinds import all_kinds
from tests import speech
from tests.chat.questions import submit_question
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ALICE, HOME = "s:alice", "192.0.2.1"
ROOT = Path(settings.BASE_DIR)
PRICES = '{"scripted": {"input": 1, "output": 4}, "scripted-ear": {"minute": 0.006}}'
numbers = count()


def a_reply() -> Job:
    request_id = f"r-{next(numbers)}"
    return submit_question(
        owner=ALICE, companion="travel", text="Where to?", request_id=request_id, address=HOME
    ).job


def a_transcription() -> Job:
    return transcribe_file(
        owner=ALICE,
        name="a.webm",
        stream=io.BytesIO(speech.WEBM.read_bytes()),
        request=TranscriptionRequest(companion="travel", request_id=f"r-{next(numbers)}"),
        address=HOME,
    ).job


def an_analysis(words: str = "Many ships came to the harbour.\n" * 50) -> Job:
    request_id = f"r-{next(numbers)}"
    request = AnalysisRequest(owner=ALICE, companion="travel", request_id=request_id, address=HOME)
    return analyse_text(request, words=words).job


def a_title() -> Job:
    return submit("thread.title", {"thread_id": _thread(2).id.hex}, share=network_name(HOME)).job


def a_summary() -> Job:
    return submit("thread.summarise", {"thread_id": _thread(60).id.hex}, share=network_name(HOME)).job


def _thread(messages: int) -> Thread:
    thread = Thread.objects.create(owner=ALICE, companion="travel", title="T", updated_at=timezone.now())
    roles = [Role.USER, Role.ASSISTANT] * messages
    rows = [
        Message(thread=thread, role=role, content=f"{n} " + "word " * 900, job_id=new_id())
        for n, role in enumerate(roles[:messages])
    ]
    Message.objects.bulk_create(rows)
    return thread


SAMPLES: dict[str, Callable[[], Job]] = {
    "chat.reply": a_reply,
    "audio.transcribe": a_transcription,
    "analysis.document": an_analysis,
    "thread.title": a_title,
    "thread.summarise": a_summary,
}


def paid_kinds() -> list[str]:
    """Return the kinds of the chat that run on a queue with a provider. A mail server is paid for no call."""
    queues = settings.QUEUEING["QUEUES"]
    kinds = [kind for kind in all_kinds() if kind.handler.__module__.startswith("chat.")]
    return [kind.name for kind in kinds if queues[kind.queue].get("provider") and kind.queue != "mail"]


def test_every_paid_kind_has_a_sample():
    assert sorted(SAMPLES) == paid_kinds(), "add a function that submits a job of the new kind to SAMPLES"


def test_provider_is_called_only_where_calls_are_paid():
    """What calls the provider is imported only by the two modules that reserve and record."""
    calling = {"stream_reply", "stream_from", "transcribe", "client_for"}
    found = set()
    for path in (ROOT / "chat").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and calling & {alias.name for alias in node.names}:
                found.add(path.relative_to(ROOT).as_posix())
    outside = {path for path in found if not path.startswith("chat/upstream/")}
    assert outside == {"chat/replies/model_calls.py", "chat/replies/transcription.py"}


def ended(job: Job) -> Job:
    def over() -> Job | None:
        found = Job.objects.get(pk=job.pk)
        return found if found.is_finished else None

    return wait_until(over, "the end of the job")


def test_without_budget_left_no_kind_calls_the_provider(qcluster, provider):
    qcluster(**provider.publishes, BUDGET_TOKENS_PER_DAY_ANONYMOUS="1")
    ends = {name: ended(SAMPLES[name]()) for name in paid_kinds()}
    assert {name: job.error_code for name, job in ends.items()} == dict.fromkeys(ends, "budget_spent")
    assert not provider.requests


def test_each_kind_reserves_before_its_call_and_is_charged_by_an_estimate(qcluster, provider, settings):
    changes = {"BUDGET_COST_PER_DAY_ANONYMOUS": 1000.0, "OPENAI_PRICES": PRICES}
    for name, value in changes.items():
        setattr(settings, name, value)
    qcluster(**provider.publishes, **{name: str(value) for name, value in changes.items()})
    for name in paid_kinds():
        provider.reset()
        provider.script(until="looked", counts=False, text="It is so.", times=0)
        job = SAMPLES[name]()
        provider.wait_for(lambda requests: requests)
        held = BudgetReservation.objects.get(job_id=job.id)
        assert held.tokens > 0, name
        assert held.cost > 0, name
        assert held.network == network_name(HOME), name
        provider.release("looked")
        ended(job)
        for call in ModelCall.objects.filter(job_id=job.id):
            assert call.estimated, name
            assert call.input_tokens, name
            assert call.cost, name
        assert ModelCall.objects.filter(job_id=job.id).exists(), name
        wait_until(lambda job=job: not BudgetReservation.objects.filter(job_id=job.id).exists(), name)
    own, network = usage_today(ALICE), usage_today(network_name(HOME))
    assert own.cost == network.cost == sum(ModelCall.objects.values_list("cost", flat=True))
    assert (own.reserved_cost, network.reserved_cost, network.reserved_tokens) == (0, 0, 0)


def test_recordings_stop_at_the_budget_before_they_are_stored(settings):
    """240 times a budget of 0.02 was spent: recordings did not reserve."""
    settings.OPENAI_PRICES = PRICES
    settings.BUDGET_COST_PER_DAY_ANONYMOUS = 0.0015
    a_transcription()
    with pytest.raises(LimitReached, match="reserved for your earlier messages"):
        a_transcription()
    assert 0 < usage_today(ALICE).reserved_cost <= 1500


def test_new_cookie_for_each_recording_stops_at_the_budget_of_the_network(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 10_000
    settings.VISITORS_PER_NETWORK = 3

    def ask(number: int, address: str = HOME) -> bool:
        try:
            submit_question(
                owner=f"s:{number}", companion="travel", text="Where?", request_id="r", address=address
            )
        except LimitReached:
            return False
        return True

    accepted = [ask(number) for number in range(60)]
    assert accepted == sorted(accepted, reverse=True)
    assert not accepted[-1]
    assert usage_today(network_name(HOME)).reserved_tokens <= 30_000
    assert ask(99, "198.51.100.7")


def test_document_reserves_all_its_calls_when_it_is_accepted(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 10**9
    job = an_analysis("Many ships came to the harbour in the year.\n" * 3000)
    question = Message.objects.get(job_id=job.id, role=Role.USER)
    cost = question.attachment["cost"]
    assert cost["calls"] > 5
    assert BudgetReservation.objects.get(job_id=UUID(str(job.id))).tokens == cost["tokens"]
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = cost["tokens"] + 100
    with pytest.raises(LimitReached):
        an_analysis("Many ships came to the harbour in the year.\n" * 3000)
