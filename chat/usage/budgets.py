"""Daily budgets. What a call may cost is set aside before it is made, and paid out of that after it.

Each move is one short transaction that locks the job's reservation, then the owner's day, always in this
order. It must never happen inside the transaction that ends a job: a visitor who asks holds the day and
waits for the job before, whose end would wait for the day.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chat.errors import LimitReached
from queueing.api import UNFINISHED, Job

from .models import Day, Reservation
from .prices import price_of

#: Seconds a reservation may be older than its job: whoever makes both may commit them apart.
GRACE = 60.0
#: Seconds after which to come back when the rest of the budget is only set aside.
_SET_ASIDE = 30.0


class Amount(NamedTuple):
    """Tokens, and millionths of a unit of money."""

    tokens: int
    cost: int


def budget_of(owner: str) -> Amount:
    """What the owner may spend a day; 0 is no limit."""
    if owner.startswith("u:"):
        tokens, cost = settings.BUDGET_TOKENS_PER_DAY, settings.BUDGET_COST_PER_DAY
    else:
        tokens = settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS
        cost = settings.BUDGET_COST_PER_DAY_ANONYMOUS
    return Amount(tokens, round(cost * 1_000_000))


def renews_at() -> datetime:
    """When the next day begins, in the server's time zone."""
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
    """Set aside what the job's calls may use: `tokens` in all, of which `output_tokens` are the answer's.

    Once more for the same job replaces what was set aside before. `model` is the configured one unless
    given. Raises `LimitReached` (`budget_spent`) when the owner's budget has no room for it; then nothing has
    changed.
    """
    budget = budget_of(owner)
    if not any(budget):
        return
    wanted = Amount(tokens, _cost(model, tokens, output_tokens, seconds_of_audio))
    try:
        _set_aside(owner, UUID(str(job_id)), wanted, budget)
    except LimitReached:
        if not _forget_vanished(owner):
            raise
        _set_aside(owner, UUID(str(job_id)), wanted, budget)


def _cost(model: str, tokens: int, output_tokens: int | None, seconds: float) -> int:
    """The most it can cost: with the dearer model, and each token that may be the answer's as if it were."""
    costs = [0]
    for name in {model or settings.OPENAI_MODEL, settings.OPENAI_FALLBACK_MODEL}:
        if price := price_of(name):
            splits = (0, tokens) if output_tokens is None else (output_tokens,)
            costs += [price.of(fresh=tokens - out, output=out, seconds=seconds) for out in splits]
    return max(costs)


@transaction.atomic
def _set_aside(owner: str, job_id: UUID, wanted: Amount, budget: Amount) -> None:
    today = timezone.localdate()
    mine = Reservation(job_id=job_id, owner=owner, day=today)
    Reservation.objects.bulk_create([mine], ignore_conflicts=True)
    held = Reservation.objects.select_for_update().get(job_id=job_id)
    Day.objects.bulk_create([Day(owner=owner, day=today)], ignore_conflicts=True)
    if (held.owner, held.day) != (owner, today):  # since yesterday, or since before signing up
        _give_back(held, Amount(held.tokens, held.cost))
        held.owner, held.day, held.tokens, held.cost = owner, today, 0, 0
    more = Amount(wanted.tokens - held.tokens, wanted.cost - held.cost)
    days = Day.objects.filter(owner=owner, day=today)
    if more.tokens > 0 and budget.tokens:
        room = budget.tokens - more.tokens
        days = days.filter(input_tokens__lte=room - F("output_tokens") - F("reserved_tokens"))
    if more.cost > 0 and budget.cost:
        days = days.filter(cost__lte=budget.cost - more.cost - F("reserved_cost"))
    changes = {
        "reserved_tokens": F("reserved_tokens") + more.tokens,
        "reserved_cost": F("reserved_cost") + more.cost,
    }
    if not days.update(**changes):
        raise _rejected(Day.objects.get(owner=owner, day=today), wanted, budget)
    held.tokens, held.cost = wanted.tokens, wanted.cost
    held.save()


def _rejected(day: Day, wanted: Amount, budget: Amount) -> LimitReached:
    def past(tokens: int, cost: int) -> bool:
        return bool(
            (budget.tokens and tokens + wanted.tokens > budget.tokens)
            or (budget.cost and cost + wanted.cost > budget.cost)
        )

    left = (renews_at() - timezone.now()).total_seconds()
    when = f"It renews at midnight ({timezone.get_current_timezone_name()})."
    if past(0, 0):
        message = "This could take more than a whole day's budget. Please start a new conversation."
    elif past(day.tokens, day.cost):
        message = f"Today's budget has no room for this. {when}"
    else:
        message = "What is left of today's budget is set aside for what you asked before. Please wait for it."
        left = min(left, _SET_ASIDE)
    return LimitReached("budget_spent", message, round(left, 1))


def settle(job_id: UUID | str) -> None:
    """The job is over, or needs nothing more: free what is still set aside for it, after the commit."""
    if not any(budget_of("u:") + budget_of("s:")):
        return
    transaction.on_commit(lambda: _release(UUID(str(job_id))), robust=True)


@transaction.atomic
def _release(job_id: UUID) -> None:
    if held := Reservation.objects.select_for_update().filter(job_id=job_id).first():
        _give_back(held, Amount(held.tokens, held.cost))
        held.delete()


def pay(job_id: UUID, spent: Amount) -> None:
    """Take what was spent out of what is set aside for the job, as far as it goes. In a transaction."""
    held = Reservation.objects.select_for_update().filter(job_id=job_id).first()
    if held is None:
        return
    paid = Amount(min(held.tokens, spent.tokens), min(held.cost, spent.cost))
    _give_back(held, paid)
    held.tokens, held.cost = held.tokens - paid.tokens, held.cost - paid.cost
    held.save(update_fields=["tokens", "cost"])


def _give_back(held: Reservation, amount: Amount) -> None:
    Day.objects.filter(owner=held.owner, day=held.day).update(
        reserved_tokens=F("reserved_tokens") - amount.tokens, reserved_cost=F("reserved_cost") - amount.cost
    )


def _forget_vanished(owner: str) -> int:
    """Free what is set aside for jobs that are over, or gone, and told nobody; how many there were."""
    before = timezone.now() - timedelta(seconds=GRACE)
    held = list(
        Reservation.objects.filter(owner=owner, created_at__lt=before).values_list("job_id", flat=True)
    )
    alive = set(Job.objects.filter(id__in=held, state__in=UNFINISHED).values_list("id", flat=True))
    vanished = [job_id for job_id in held if job_id not in alive]
    for job_id in vanished:
        _release(job_id)
    return len(vanished)


def sweep() -> int:
    """Once an hour: what jobs left behind that are over and told nobody, of owners who ask no more."""
    before = timezone.now() - timedelta(seconds=GRACE)
    owners = Reservation.objects.filter(created_at__lt=before).values_list("owner", flat=True).distinct()
    return sum(map(_forget_vanished, owners[:100]))
