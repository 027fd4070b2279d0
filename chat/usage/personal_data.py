"""How usage is exported, and how it is merged when a visitor becomes a user (`chat/personal_data.py`)."""

from typing import Any

from django.db.models import F

from .models import BudgetReservation, DailyUsage, ModelCall

_TOTALS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "seconds_of_audio",
    "cost",
    "reserved_tokens",
    "reserved_cost",
)


def export_call(call: ModelCall) -> dict[str, Any]:
    """Return one model call as JSON data."""
    return {
        "at": call.created_at.isoformat(),
        "model": call.model,
        "companion": call.companion,
        "inputTokens": call.input_tokens,
        "outputTokens": call.output_tokens,
        "secondsOfAudio": call.seconds_of_audio,
        "cost": call.cost,
    }


def export_day(row: DailyUsage) -> dict[str, Any]:
    """Return one day as JSON data."""
    return {"day": row.day.isoformat(), "tokens": row.tokens, "cost": row.cost, "calls": row.calls}


def merge_days(old: str, new: str) -> None:
    """Add the totals of `old` to those of `new`, who may have a row for the same day, and delete `old`'s."""
    # Budgets lock a reservation first and its day second; the same order here prevents a deadlock.
    list(BudgetReservation.objects.select_for_update().filter(owner=old).order_by("job_id"))
    for row in DailyUsage.objects.select_for_update().filter(owner=old).order_by("day"):
        DailyUsage.objects.bulk_create([DailyUsage(owner=new, day=row.day)], ignore_conflicts=True)
        totals = {name: F(name) + getattr(row, name) for name in _TOTALS}
        DailyUsage.objects.filter(owner=new, day=row.day).update(**totals)
        row.delete()
