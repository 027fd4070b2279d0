"""Recording of model calls, each exactly once, and their totals by job, thread and day."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from queueing.api import new_id

from .budgets import Amount, charge
from .models import CallEnd, DailyUsage, ModelCall
from .prices import cost_of


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """A finished model call as its caller reports it; the fields are those of `ModelCall`."""

    job_id: UUID | str
    owner: str
    model: str
    thread_id: UUID | str | None = None
    companion: str = ""
    kind: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider read from its cache."""
    seconds_of_audio: float = 0.0
    estimated: bool = False
    ended: str = CallEnd.STOP
    id: UUID = field(default_factory=new_id)

    def as_row(self) -> ModelCall:
        """Return the unsaved row, with its cost."""
        return ModelCall(
            **vars(self)
            | {
                "job_id": UUID(str(self.job_id)),
                "thread_id": UUID(str(self.thread_id)) if self.thread_id else None,
                "model": self.model[:100],
                "cost": self.cost(),
            }
        )

    def cost(self) -> int | None:
        """Return the cost in millionths of a unit of money; None when the model has no price."""
        return cost_of(
            self.model,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            seconds=self.seconds_of_audio,
        )


def record(call: CallRecord) -> ModelCall:
    """Store `call`, add it to its owner's day, and charge it to the job's reservation. Blocks.

    Recording a call with the same id again changes nothing. Return the stored row.
    """
    row = call.as_row()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            network = charge(row.job_id, Amount(row.input_tokens + row.output_tokens, row.cost or 0))
            for payer in filter(None, (row.owner, network)):
                _add_to_day(row, payer)
    except IntegrityError:
        return ModelCall.objects.get(id=row.id)  # it was recorded before
    return row


def _add_to_day(call: ModelCall, payer: str) -> None:
    today = timezone.localdate()
    DailyUsage.objects.bulk_create([DailyUsage(owner=payer, day=today)], ignore_conflicts=True)
    DailyUsage.objects.filter(owner=payer, day=today).update(
        calls=F("calls") + 1,
        input_tokens=F("input_tokens") + call.input_tokens,
        output_tokens=F("output_tokens") + call.output_tokens,
        cached_tokens=F("cached_tokens") + call.cached_tokens,
        seconds_of_audio=F("seconds_of_audio") + call.seconds_of_audio,
        cost=F("cost") + (call.cost or 0),
    )


def usage_today(owner: str) -> DailyUsage:
    """Return the owner's totals of today; an unsaved row of zeros when nothing was used."""
    today = timezone.localdate()
    return DailyUsage.objects.filter(owner=owner, day=today).first() or DailyUsage(owner=owner, day=today)


@dataclass
class UsageTotal:
    """The sum of all model calls of a job."""

    model: str = ""
    """The model of the last call, which wrote the answer."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int | None = None
    """Millionths of a unit of money; None when no call had a price."""
    estimated: bool = False
    truncated: bool = False

    def add(self, call: ModelCall) -> None:
        """Add a later call of the same job."""
        self.model = call.model
        self.input_tokens += call.input_tokens
        self.output_tokens += call.output_tokens
        if call.cost is not None:
            self.cost = (self.cost or 0) + call.cost
        self.estimated = self.estimated or call.estimated
        self.truncated = call.ended == CallEnd.LENGTH

    def public(self) -> dict[str, Any]:
        """Return the fields that clients get with an answer."""
        usage = {"inputTokens": self.input_tokens, "outputTokens": self.output_tokens}
        return {
            "model": self.model,
            "usage": usage | ({"estimated": True} if self.estimated else {}),
            "truncated": self.truncated,
        } | ({} if self.cost is None else {"cost": self.cost})


def total_of_job(job_id: UUID | str) -> UsageTotal:
    """Return the total of the job's calls so far."""
    return _totals(ModelCall.objects.filter(job_id=job_id)).get(UUID(str(job_id)), UsageTotal())


def totals_of_jobs(ids: Collection[UUID]) -> dict[UUID, UsageTotal]:
    """Return the totals of these jobs, by job id."""
    return _totals(ModelCall.objects.filter(job_id__in=ids))


def _totals(calls: Iterable[ModelCall]) -> dict[UUID, UsageTotal]:
    totals: dict[UUID, UsageTotal] = {}
    for call in sorted(calls, key=lambda call: call.id):
        totals.setdefault(call.job_id, UsageTotal()).add(call)
    return totals
