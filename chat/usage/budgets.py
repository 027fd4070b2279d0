"""Daily budgets: the maximum that a call can use is reserved before the call and charged after it.

Each step is one short transaction that locks the job's reservation first and the owner's day second, always
in this order. It must never run inside the transaction that ends a job: a visitor who sends a message holds
the day and waits for the previous job, whose end would wait for the day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chat.errors import LimitReached
from queueing.api import UNFINISHED, Job

from . import texts
from .models import BudgetReservation, DailyUsage
from .prices import price_of

#: Seconds for which a reservation without a job is kept: its job may be committed after it.
ORPHAN_AFTER = 60.0
#: Seconds to wait when the rest of the budget is only reserved and may soon be free again.
_RETRY_AFTER_RESERVED = 30.0
#: Owners whose orphaned reservations one sweep releases.
_SWEEP_OWNERS = 100


class Amount(NamedTuple):
    """Tokens, and millionths of a unit of money."""

    tokens: int
    cost: int

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens - other.tokens, self.cost - other.cost)


@dataclass(frozen=True, kw_only=True)
class CallSize:
    """The maximum that one or more calls of a model can use."""

    tokens: int = 0
    output_tokens: int = 0
    """The part of `tokens` that the model writes."""
    seconds_of_audio: float = 0.0

    def __add__(self, other: "CallSize") -> "CallSize":
        return CallSize(
            tokens=self.tokens + other.tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            seconds_of_audio=self.seconds_of_audio + other.seconds_of_audio,
        )

    def without(self, other: "CallSize") -> "CallSize":
        """Return what is left of this size after a part of it, at least nothing."""
        return CallSize(
            tokens=max(0, self.tokens - other.tokens),
            output_tokens=max(0, self.output_tokens - other.output_tokens),
            seconds_of_audio=max(0.0, self.seconds_of_audio - other.seconds_of_audio),
        )

    def divided(self, by: int) -> "CallSize":
        """Return the size of one of this number of equal parts."""
        return CallSize(
            tokens=self.tokens // by,
            output_tokens=self.output_tokens // by,
            seconds_of_audio=self.seconds_of_audio / by,
        )


def budget_of(payer: str) -> Amount:
    """Return the budget of an owner or a network for a day; 0 means no limit."""
    if payer.startswith("u:"):
        tokens, cost = settings.BUDGET_TOKENS_PER_DAY, settings.BUDGET_COST_PER_DAY
    else:
        tokens = settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS
        cost = settings.BUDGET_COST_PER_DAY_ANONYMOUS
    visitors = settings.VISITORS_PER_NETWORK if payer.startswith("n:") else 1
    return Amount(tokens * visitors, round(cost * 1_000_000) * visitors)


def users_have_more() -> bool:
    """Return whether an account has a larger budget than a visitor without one."""
    pairs = zip(budget_of("u:"), budget_of("b:"), strict=True)
    return any(visitor and (not user or user > visitor) for user, visitor in pairs)


def renews_at() -> datetime:
    """Return the beginning of the next day in the server's time zone."""
    now = timezone.localtime()
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def reserve(
    owner: str,
    job_id: UUID | str,
    tokens: int,
    *,
    output_tokens: int | None = None,
    seconds_of_audio: float = 0.0,
    model: str = "",
) -> None:
    """Reserve the maximum that the job's calls can use: `tokens` in total, `output_tokens` of them output.

    A second reservation for the same job replaces the first. `model` defaults to the configured model. For a
    visitor the budget of the network, which is the share of the job, must have room as well.
    Raises `LimitReached` (`budget_spent`) when a budget has no room; then nothing was changed.
    """
    if not any(budget_of(owner)):
        return
    job_id = UUID(str(job_id))
    payers = _Payers(owner, "" if owner.startswith("u:") else share_of(job_id))
    wanted = Amount(tokens, _max_cost(model, tokens, output_tokens, seconds_of_audio))
    try:
        _reserve(payers, job_id, wanted)
    except LimitReached:
        if not _release_orphans(payers):
            raise
        _reserve(payers, job_id, wanted)


class _Payers(NamedTuple):
    """The owner whose budget a job uses, and the network whose budget it uses as well, or nothing."""

    owner: str
    network: str = ""

    @property
    def names(self) -> list[str]:
        return [name for name in self if name]


def share_of(job_id: UUID | str) -> str:
    """Return the share of a job: the network of a visitor, or nothing."""
    return Job.objects.filter(id=job_id).values_list("share", flat=True).first() or ""


def _max_cost(model: str, tokens: int, output_tokens: int | None, seconds: float) -> int:
    """Return the highest possible cost: of the dearer model, with unknown tokens at the dearer price."""
    costs = [0]
    for name in {model or settings.OPENAI_MODEL, settings.OPENAI_FALLBACK_MODEL}:
        if price := price_of(name):
            splits = (0, tokens) if output_tokens is None else (output_tokens,)
            costs += [price.of(fresh=tokens - out, output=out, seconds=seconds) for out in splits]
    return max(costs)


@transaction.atomic
def _reserve(payers: _Payers, job_id: UUID, wanted: Amount) -> None:
    today = timezone.localdate()
    reservation = _locked(payers, job_id, today)
    more = wanted - Amount(reservation.tokens, reservation.cost)
    for payer in payers.names:
        budget = budget_of(payer)
        changed = _days_with_room(payer, today, more, budget).update(
            reserved_tokens=F("reserved_tokens") + more.tokens,
            reserved_cost=F("reserved_cost") + more.cost,
        )
        if not changed:
            raise _rejected(DailyUsage.objects.get(owner=payer, day=today), wanted, budget)
    reservation.tokens, reservation.cost = wanted
    reservation.save()


def _locked(payers: _Payers, job_id: UUID, today: date) -> BudgetReservation:
    """Return the job's reservation for today, locked; create it and the payers' days if they are missing."""
    new = BudgetReservation(job_id=job_id, owner=payers.owner, network=payers.network, day=today)
    BudgetReservation.objects.bulk_create([new], ignore_conflicts=True)
    found = BudgetReservation.objects.select_for_update().get(job_id=job_id)
    days = [DailyUsage(owner=payer, day=today) for payer in payers.names]
    DailyUsage.objects.bulk_create(days, ignore_conflicts=True)
    if (found.owner, found.network, found.day) != (*payers, today):  # made yesterday, or before signing up
        _subtract(found, Amount(found.tokens, found.cost))
        found.owner, found.network = payers
        found.day, found.tokens, found.cost = today, 0, 0
    return found


def _days_with_room(owner: str, day: date, more: Amount, budget: Amount) -> QuerySet[DailyUsage]:
    """Return the owner's day if `more` fits into its budget, else no row: the check is part of the update."""
    days = DailyUsage.objects.filter(owner=owner, day=day)
    if more.tokens > 0 and budget.tokens:
        room = budget.tokens - more.tokens
        days = days.filter(input_tokens__lte=room - F("output_tokens") - F("reserved_tokens"))
    if more.cost > 0 and budget.cost:
        days = days.filter(cost__lte=budget.cost - more.cost - F("reserved_cost"))
    return days


def _rejected(day: DailyUsage, wanted: Amount, budget: Amount) -> LimitReached:
    def exceeds(used: Amount) -> bool:
        return bool(
            (budget.tokens and used.tokens + wanted.tokens > budget.tokens)
            or (budget.cost and used.cost + wanted.cost > budget.cost)
        )

    wait = (renews_at() - timezone.now()).total_seconds()
    if exceeds(Amount(0, 0)):
        message = texts.OVER_WHOLE_BUDGET
    elif exceeds(Amount(day.tokens, day.cost)):
        message = texts.budget_spent(timezone.get_current_timezone_name())
    else:
        message = texts.REST_IS_RESERVED
        wait = min(wait, _RETRY_AFTER_RESERVED)
    return LimitReached("budget_spent", message, round(wait, 1))


def settle(job_id: UUID | str) -> None:
    """Release the rest of a job's reservation after the current transaction commits.

    Call it when the job is finished or makes no more calls.
    """
    if not any(budget_of("u:") + budget_of("s:")):
        return
    transaction.on_commit(lambda: _release(UUID(str(job_id))), robust=True)


@transaction.atomic
def _release(job_id: UUID) -> None:
    if found := BudgetReservation.objects.select_for_update().filter(job_id=job_id).first():
        _subtract(found, Amount(found.tokens, found.cost))
        found.delete()


def charge(job_id: UUID, used: Amount) -> str:
    """Subtract `used` from the job's reservation, down to zero, and return the network that pays, if any.

    Call it in a transaction.
    """
    found = BudgetReservation.objects.select_for_update().filter(job_id=job_id).first()
    if found is None:
        return ""
    charged = Amount(min(found.tokens, used.tokens), min(found.cost, used.cost))
    _subtract(found, charged)
    found.tokens, found.cost = found.tokens - charged.tokens, found.cost - charged.cost
    found.save(update_fields=["tokens", "cost"])
    return found.network


def _subtract(reservation: BudgetReservation, amount: Amount) -> None:
    """Subtract `amount` from the reserved totals of the reservation's day, of the owner and the network."""
    names = _Payers(reservation.owner, reservation.network).names
    DailyUsage.objects.filter(owner__in=names, day=reservation.day).update(
        reserved_tokens=F("reserved_tokens") - amount.tokens, reserved_cost=F("reserved_cost") - amount.cost
    )


def _release_orphans(payers: _Payers) -> int:
    """Release the payers' reservations whose jobs are finished or missing; return their number."""
    before = timezone.now() - timedelta(seconds=ORPHAN_AFTER)
    theirs = Q(owner=payers.owner) | Q(network=payers.network, network__gt="")
    old = BudgetReservation.objects.filter(theirs, created_at__lt=before)
    job_ids = list(old.values_list("job_id", flat=True))
    alive = set(Job.objects.filter(id__in=job_ids, state__in=UNFINISHED).values_list("id", flat=True))
    orphans = [job_id for job_id in job_ids if job_id not in alive]
    for job_id in orphans:
        _release(job_id)
    return len(orphans)


def sweep() -> int:
    """Release orphaned reservations of owners who send no more messages; return their number. Runs hourly."""
    before = timezone.now() - timedelta(seconds=ORPHAN_AFTER)
    owners = BudgetReservation.objects.filter(created_at__lt=before).values_list("owner", flat=True)
    return sum(_release_orphans(_Payers(owner)) for owner in owners.distinct()[:_SWEEP_OWNERS])
