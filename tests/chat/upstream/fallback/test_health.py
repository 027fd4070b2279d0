"""Health warnings about the provider."""

from contextlib import suppress
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from chat.upstream.health import provider_warnings
from queueing.api import Job, JobError, State
from queueing.models import FailedAttempt
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


@pytest.mark.parametrize(
    ("attempts", "critical"),
    [
        ([("provider_error", 3)], True),
        ([("provider_timeout", 1), ("cut_off", 1), ("provider_unreachable", 1)], True),
        ([("no_quota", 1)], True),
        ([("not_configured", 1)], True),
        ([("provider_error", 2)], False),
        ([("too_long", 9), ("rate_limited", 9)], False),
        ([("provider_error", 9, 6)], False),
    ],
    ids=str,
)
def test_repeated_provider_failures_are_critical(attempts, critical):
    for attempt in attempts:
        record_failures(*attempt)
    assert warnings() == ([("critical", "provider")] if critical else [])


async def test_active_fallback_is_a_warning(provider: Provider, api):
    assert await provider_warnings() == []
    provider.script(model="scripted", status=500)
    with suppress(JobError):
        await ask_model()
    [warning] = await provider_warnings()
    assert (warning.level, warning.code) == ("warning", "fallback")
