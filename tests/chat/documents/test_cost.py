"""S13: a document costs what its size says, and this is known, counted and limited before it starts."""

import json
import math
from itertools import pairwise

import pytest
from asgiref.sync import sync_to_async
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.conversations.messages import NewMessage
from chat.documents.analysis.cost import DocumentCost
from chat.documents.analysis.model_session import ModelSession, tokens_of_text
from chat.documents.analysis.splitting import passages, sentences
from chat.documents.services import AnalysisRequest, analyse_text
from chat.errors import InvalidInput, LimitReached
from chat.intake import submit_message
from chat.models import Message, Role
from chat.prompting.token_budget import estimate_tokens
from queueing.api import Job
from tests.chat.browser import browser
from tests.chat.limits.rate_limits import reserved_times, set_limits
from tests.support.valkey import wait_until

ALICE = "s:alice"


@pytest.fixture
def session() -> ModelSession:
    return ModelSession.configured("What matters?", "d.txt", "travel")


def analyse(words: str, **more: str):
    request = AnalysisRequest(owner=ALICE, companion="travel", request_id=f"r-{len(words)}", **more)
    return analyse_text(request, words=words)


@pytest.mark.parametrize(
    "text",
    [
        "a\n" * 200_000,
        "1.\n" * 130_000,
        "- \n- x\n" * 60_000,
        "a. B. " * 60_000,
        "# A\n\nA line that is not short.\n\n" * 13_000,
    ],
)
def test_document_of_short_lines_costs_what_its_size_says(session, text):
    """One message of one-character lines took 360 calls."""
    text = text[:400_000]
    assert len(session.split(text, "txt")) <= math.ceil(3 * estimate_tokens(text) / session.part_tokens)


@given(st.lists(st.text("ab. \n1|-#", max_size=60), max_size=20), st.booleans())
@settings(max_examples=200)
def test_passages_are_the_sentences_and_few_of_them_are_short(pieces, by_line):
    text = "\n".join(pieces)
    found = list(passages(text, by_line=by_line))
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert {i for start, end in sentences(text, by_line=by_line) for i in range(start, end)} <= {
        i for start, end in found for i in range(start, end)
    }
    assert len(found) <= 2 * len(text) / 24 + 1


@given(
    st.text("ab .\n1|#", min_size=1, max_size=300),
    st.integers(1, 400),
    st.sampled_from(["txt", "md", "csv"]),
)
@settings(max_examples=40)
def test_estimate_is_at_least_the_exact_cost(piece, times, kind):
    session = ModelSession.configured("What matters?", "d.txt", "travel")
    text = piece * times
    parts = session.split(text, kind)
    estimate = DocumentCost.estimated(session, text, kind)
    exact = DocumentCost.of_parts(session, len(parts), tokens_of_text(text, kind))
    assert estimate.calls >= exact.calls or len(parts) > 2, "a few parts are never more than estimated"
    assert exact.calls <= 2 * estimate.calls


@pytest.mark.django_db(transaction=True)
def test_document_over_the_maximum_of_calls_is_refused_and_stores_nothing(valkey, settings):
    settings.DOCUMENT_MAX_CALLS = 10
    with pytest.raises(InvalidInput, match="calls of the model; the maximum is 10"):
        analyse("Many ships came to the harbour in the year.\n" * 6000)
    assert not Job.objects.exists()
    analyse("Many ships came to the harbour in the year.\n" * 600)


@pytest.mark.django_db(transaction=True)
def test_long_message_counts_as_its_calls_in_the_rate_limits(valkey, settings):
    set_limits(settings, anonymous="20/minute;200/hour", max_wait=0)
    text = "Many ships came to the harbour in the year.\n" * 2000
    message = NewMessage(owner=ALICE, companion="travel", text=text, request_id="r-1")
    asked = submit_message(message)
    calls = Message.objects.get(job_id=asked.job.id, role=Role.USER).attachment["cost"]["calls"]
    assert calls > 8
    counted = reserved_times(ALICE)
    assert [len(times) for times in counted.values()] == [min(calls, 20), calls]
    analyse("Many ships came to the harbour in the year.\n" * 4500)
    with pytest.raises(LimitReached):
        analyse("A ship.")


@pytest.mark.django_db(transaction=True)
async def test_cost_is_shown_with_the_message_and_holds(valkey, workers, settings):
    async with browser() as alice:
        await alice.client.get("/")
        token = alice.client.cookies["csrftoken"].value
        body = {"companion": "travel", "text": "Many ships came to the harbour in the year.\n" * 1500}
        answer = await alice.client.post(
            "/api/analysis", json.dumps(body), content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert answer.status_code == 202, answer.content
        view = (await alice.client.get(f"/api/threads/{answer.json()['threadId']}")).json()
        cost = view["messages"][0]["attachment"]["cost"]

        def completed() -> Job | None:
            return Job.objects.filter(id=answer.json()["jobId"], state="completed").first()

        await sync_to_async(wait_until)(completed, "the report", timeout=30)
        assert 3 <= len(workers.requests) <= cost["calls"]
