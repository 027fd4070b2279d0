"""Health warnings about the provider."""

from contextlib import suppress
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from chat.upstream.health import provider_warnings
from queueing.api import Job, JobError, State
from queueing.models import FailedAttempt, QueueMinute
from tests.chat.upstream.model_requests import ask_model
from tests.provider.fixture import Provider

pytestmark = [pytest.mark.usefixtures("valkey"), pytest.mark.django_db(transaction=True)]


def record_failures(code: str, times: int, minutes_ago: float = 1) -> None:
    """Record failed attempts with this error code."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    job = Job.objects.create(
        kind="chat.reply", queue="openai-chat", priority=2, state=State.WAITING, created_at=at
    )
    FailedAttempt.objects.bulk_create(
        FailedAttempt(
            job=job, number=n + 1, outcome="failed", started_at=at, ended_at=at, worker="c/w", code=code
        )
        for n in range(times)
    )


def warnings() -> list[tuple[str, str]]:
    return [(warning.level, warning.code) for warning in async_to_sync(provider_warnings)()]


def record_answers(number: int, minutes_ago: int = 1) -> None:
    """Record completed jobs in the statistics."""
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    QueueMinute.objects.create(queue="openai-chat", worker="c/w", start=minute, completed=number)


@pytest.mark.parametrize(
    ("attempts", "level"),
    [
        ([("provider_error", 3)], "warning"),
        ([("provider_timeout", 1), ("cut_off", 1), ("provider_unreachable", 1)], "warning"),
        ([("no_quota", 1)], "critical"),
        ([("not_configured", 1)], "critical"),
        ([("provider_error", 2)], ""),
        ([("too_long", 9), ("rate_limited", 9)], ""),
        ([("provider_error", 9, 6)], ""),
    ],
    ids=str,
)
def test_repeated_provider_failures_are_a_warning(attempts, level):
    for attempt in attempts:
        record_failures(*attempt)
    assert warnings() == ([(level, "provider")] if level else [])


def test_few_failures_among_many_answers_are_no_warning():
    """O1: three failed attempts among a thousand good answers."""
    record_failures("provider_error", 3)
    record_answers(1000)
    assert warnings() == []


@pytest.mark.parametrize("code", ["provider_error", "no_quota"])
def test_failures_that_are_over_are_no_warning(code):
    """O1: over when it is over."""
    record_failures(code, 4, minutes_ago=3)
    assert warnings() != []
    record_answers(4)
    assert warnings() == []


def test_failures_that_go_on_among_answers_are_a_warning():
    record_failures("provider_error", 30)
    record_answers(70, minutes_ago=2)
    assert warnings() == [("warning", "provider")]


async def test_active_fallback_is_a_warning(provider: Provider, api):
    assert await provider_warnings() == []
    provider.script(model="scripted", status=503, times=2)
    for thread_id in ("a", "b"):
        with suppress(JobError):
            await ask_model(thread_id=thread_id)
    [warning] = await provider_warnings()
    assert (warning.level, warning.code) == ("warning", "fallback")
