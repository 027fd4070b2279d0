"""S5: visitors without an account count as their network, in addition to their cookie.

A cookie costs nothing, so 110 questions with a new cookie each must not go before another visitor's question.
"""

import io
import itertools
from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import AsyncClient

from chat.accounts.personal_data.merge import merge
from chat.conversations import services
from chat.conversations.messages import AcceptedMessage
from chat.documents.services import AnalysisRequest, analyse_text
from chat.limits.addresses import network_name
from chat.voice.services import TranscriptionRequest, transcribe_file
from queueing.api import Job, Rejected
from tests import speech
from tests.chat.questions import edit_question, submit_question
from tests.provider.script import Script
from tests.support.valkey import wait_until

from .rate_limits import HOME, set_limits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

numbers = itertools.count()
AWAY = "198.51.100.7"


@pytest.fixture(autouse=True)
def without_rate_limits(settings):
    set_limits(settings, anonymous="", user="", address="")


def send(owner: str, address: str, **more: str) -> AcceptedMessage:
    number = next(numbers)
    request = {"companion": "travel", "request_id": f"r-{number}", "text": f"Where to? {number}"} | more
    return submit_question(owner=owner, address=address, **request)


def position(asked: AcceptedMessage) -> int:
    """Return the position with which the message was accepted; 1 is next."""
    queued = asked.submission.queued_event
    assert queued
    return queued["position"]


def test_stranger_passes_a_network_with_a_new_cookie_for_each_question():
    for number in range(110):
        send(f"s:{number}", HOME)
    assert position(send("s:stranger", AWAY)) <= 2
    assert position(send("u:7", HOME)) <= 3, "a user does not wait for the visitors of the same network"


def test_visitor_of_a_network_passes_another_one_who_keeps_the_cookie():
    for _ in range(40):
        send("s:flood", HOME)
    assert position(send("s:visitor", HOME)) == 2


def test_stranger_starts_beside_a_busy_network_with_real_workers(workers):
    workers.script(*[Script(text="Yes.", wait=0.15)] * 30)
    for number in range(24):
        send(f"s:{number}", HOME)
    stranger = send("s:stranger", AWAY)
    ended = wait_until(
        lambda: Job.objects.filter(pk=stranger.job.pk, state="completed").first(), "the answer"
    )
    before = Job.objects.filter(queue="openai-chat", started_at__lt=ended.started_at).count()
    assert before <= 6, f"{before} questions of the network started before the stranger's"


def by_message() -> Job:
    return send("s:a", HOME).job


def by_edit() -> Job:
    asked = send("s:a", HOME)
    Job.objects.filter(pk=asked.job.pk).update(state="completed", finished_at=asked.job.created_at)
    return edit_question(asked, owner="s:a", text="And then?", address=HOME, request_id="e-1").accepted.job


def by_retry() -> Job:
    asked = send("s:a", HOME)
    services.cancel(owner="s:a", job_id=asked.job.id)
    return services.retry(owner="s:a", job_id=asked.job.id, address=HOME)


def by_document() -> Job:
    request = AnalysisRequest(owner="s:a", companion="travel", request_id="d-1", address=HOME)
    return analyse_text(request, words="Many ships came.\n" * 50).job


def by_recording() -> Job:
    return _recording().job


def by_reply_to_recording() -> Job:
    return Job.objects.get(pk=UUID(_recording().job.meta["replyJobId"]))


def _recording():
    return transcribe_file(
        owner="s:a",
        name="a.webm",
        stream=io.BytesIO(speech.WEBM.read_bytes()),
        request=TranscriptionRequest(companion="travel", request_id="v-1", send=True),
        address=HOME,
    )


@pytest.mark.parametrize(
    "submit", [by_message, by_edit, by_retry, by_document, by_recording, by_reply_to_recording]
)
def test_job_of_visitor_has_the_share_of_the_network(settings, submit: Callable[[], Job]):
    settings.OPENAI_TRANSCRIPTION_MODEL = "ears"
    job = submit()
    job.refresh_from_db()
    assert job.share == network_name(HOME)
    assert HOME not in job.share


def test_job_of_user_has_no_share():
    assert not send("u:7", HOME).job.share


def test_unfinished_job_of_visitor_who_signs_up_loses_the_share():
    asked = send("s:a", HOME)
    merge("s:a", "u:7")
    asked.job.refresh_from_db()
    assert (asked.job.owner, asked.job.share) == ("u:7", "")


def test_network_may_have_the_open_questions_of_ten_visitors(settings):
    queues = settings.QUEUEING["QUEUES"]
    chat = queues["openai-chat"] | {"owner_limit": 2}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | {"openai-chat": chat}}
    for number in range(20):
        send(f"s:{number}", HOME)
    with pytest.raises(Rejected) as refused:
        send("s:one-more", HOME)
    assert refused.value.code == "owner_limit"
    send("s:elsewhere", AWAY)
    send("u:7", HOME)


async def test_addresses_of_one_ipv6_network_are_one_network_and_proxies_are_trusted(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    shares = []
    for address in ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9", "2001:db8:1:3::5"):
        body, headers = {"message": f"Where to, {address}?"}, {"X-Forwarded-For": address}
        answer = await AsyncClient().post(
            "/api/travel", body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 202
        job = await Job.objects.aget(pk=UUID(answer.json()["jobId"]))
        shares.append(job.share)
    assert shares[0] == shares[1] != shares[2]
    assert all(shares)
