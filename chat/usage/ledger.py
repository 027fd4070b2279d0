"""The calls that were made: written once each, and added up by job, thread and day."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from queueing.api import new_id

from .budgets import Amount, pay
from .models import Day, End, Usage
from .prices import cost_of


def record(
    *,
    job_id: UUID | str,
    owner: str,
    model: str,
    thread_id: UUID | str | None = None,
    companion: str = "",
    kind: str = "",
    input_tokens: int = 0,
    output_tokens: int = 0,
    cached_tokens: int = 0,
    seconds_of_audio: float = 0.0,
    estimated: bool = False,
    ended: str = End.STOP,
    call_id: UUID | None = None,
) -> Usage:
    """Write down one call of a model, add it to the owner's day, and pay it out of the job's reservation.

    `cached_tokens` are among the `input_tokens`. The same `call_id` again changes nothing. Blocks.
    """
    usage = Usage(
        id=call_id or new_id(),
        job_id=UUID(str(job_id)),
        thread_id=UUID(str(thread_id)) if thread_id else None,
        owner=owner,
        companion=companion,
        kind=kind,
        model=model[:100],
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        seconds_of_audio=seconds_of_audio,
        estimated=estimated,
        ended=ended,
        cost=cost_of(
            model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            seconds=seconds_of_audio,
        ),
    )
    try:
        with transaction.atomic():
            usage.save(force_insert=True)
            pay(usage.job_id, Amount(input_tokens + output_tokens, usage.cost or 0))
            _add_to_day(usage)
    except IntegrityError:
        return Usage.objects.get(id=usage.id)  # it was recorded before
    return usage


def _add_to_day(usage: Usage) -> None:
    today = timezone.localdate()
    Day.objects.bulk_create([Day(owner=usage.owner, day=today)], ignore_conflicts=True)
    Day.objects.filter(owner=usage.owner, day=today).update(
        calls=F("calls") + 1,
        input_tokens=F("input_tokens") + usage.input_tokens,
        output_tokens=F("output_tokens") + usage.output_tokens,
        cached_tokens=F("cached_tokens") + usage.cached_tokens,
        seconds_of_audio=F("seconds_of_audio") + usage.seconds_of_audio,
        cost=F("cost") + (usage.cost or 0),
    )


def spent_today(owner: str) -> Day:
    """The owner's day so far; all zeros when nothing was used."""
    today = timezone.localdate()
    return Day.objects.filter(owner=owner, day=today).first() or Day(owner=owner, day=today)


@dataclass
class Total:
    """What a job used, over all its calls."""

    model: str = ""
    """That of the last call: the one whose answer there is."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int | None = None
    """Millionths; None when no call had a price."""
    estimated: bool = False
    truncated: bool = False

    def add(self, usage: Usage) -> None:
        """Count a later call in."""
        self.model = usage.model
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        if usage.cost is not None:
            self.cost = (self.cost or 0) + usage.cost
        self.estimated = self.estimated or usage.estimated
        self.truncated = usage.ended == End.LENGTH

    def public(self) -> dict[str, Any]:
        """As clients get it beside an answer."""
        usage = {"inputTokens": self.input_tokens, "outputTokens": self.output_tokens}
        return {
            "model": self.model,
            "usage": usage | ({"estimated": True} if self.estimated else {}),
            "truncated": self.truncated,
        } | ({} if self.cost is None else {"cost": self.cost})


def of_job(job_id: UUID | str) -> Total:
    """What the job has used so far."""
    return _add_up(Usage.objects.filter(job_id=job_id)).get(UUID(str(job_id)), Total())


def of_thread(thread_id: UUID) -> dict[UUID, Total]:
    """What each job of a thread used, by job."""
    return _add_up(Usage.objects.filter(thread_id=thread_id))


def _add_up(calls: Iterable[Usage]) -> dict[UUID, Total]:
    totals: dict[UUID, Total] = {}
    for usage in sorted(calls, key=lambda call: call.id):
        totals.setdefault(usage.job_id, Total()).add(usage)
    return totals
