"""Sample data: events and model calls over the last 90 days."""

import random
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from chat.analytics.models import Visit
from chat.analytics.rollups import store_events
from chat.companions.registry import COMPANIONS
from chat.usage.models import ModelCall

from .event_rows import event_row


def store_sample_events(number: int, per_batch: int = 5000) -> None:
    """Store events spread over the last 90 days."""
    rnd = random.Random(1)
    now = timezone.now()
    names = sorted(COMPANIONS)
    for first in range(0, number, per_batch):
        rows = []
        for n in range(first, min(number, first + per_batch)):
            at = now - timedelta(days=89 * (1 - n / number))
            companion, visitor = rnd.choice(names), f"{n // 11_111:04x}{rnd.randrange(500):020x}"
            name = rnd.choices(
                ["message.sent", "reply.completed", "reply.failed", "page.opened"], [4, 4, 0.2, 2]
            )[0]
            properties = {}
            if name == "reply.completed":
                properties = {"wait": rnd.expovariate(0.5), "run": rnd.expovariate(0.2)}
            elif name == "reply.failed":
                properties = {"code": rnd.choice(["no_quota", "timeout", "rate_limited", "refused"])}
            rows.append(
                event_row(
                    name, at, visitor if name != "reply.completed" else "", companion=companion, **properties
                )
            )
        store_events(rows)
    assert Visit.objects.exists()


def store_sample_calls(number: int) -> None:
    """Store model calls spread over the last 90 days."""
    names, now = sorted(COMPANIONS), timezone.now()
    calls = [
        ModelCall(
            job_id=uuid4(),
            owner=f"s:{n % 500}",
            companion=names[n % 4],
            cost=n % 900,
            input_tokens=900,
            output_tokens=99,
        )
        for n in range(number)
    ]
    for n, call in enumerate(calls):
        call.created_at = now - timedelta(days=89 * n / number)
    ModelCall._meta.get_field("created_at").auto_now_add = False
    try:
        ModelCall.objects.bulk_create(calls, batch_size=5000)
    finally:
        ModelCall._meta.get_field("created_at").auto_now_add = True
