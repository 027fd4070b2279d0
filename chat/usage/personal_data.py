"""What an owner's export shows of usage, and how it is moved on signing up (`chat/personal_data.py`)."""

from typing import Any

from django.db.models import F

from .models import Day, Reservation, Usage

_SUMS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "seconds_of_audio",
    "cost",
    "reserved_tokens",
    "reserved_cost",
)


def usage(call: Usage) -> dict[str, Any]:
    """One call."""
    return {
        "at": call.created_at.isoformat(),
        "model": call.model,
        "companion": call.companion,
        "inputTokens": call.input_tokens,
        "outputTokens": call.output_tokens,
        "secondsOfAudio": call.seconds_of_audio,
        "cost": call.cost,
    }


def day(row: Day) -> dict[str, Any]:
    """One day."""
    return {"day": row.day.isoformat(), "tokens": row.tokens, "cost": row.cost, "calls": row.calls}


def move_days(old: str, new: str) -> None:
    """Add the days of `old` to those of `new`, who may have used something on the same ones."""
    # A reservation being changed locks itself and then its day; in the same order here.
    list(Reservation.objects.select_for_update().filter(owner=old).order_by("job_id"))
    for row in Day.objects.select_for_update().filter(owner=old).order_by("day"):
        Day.objects.bulk_create([Day(owner=new, day=row.day)], ignore_conflicts=True)
        sums = {name: F(name) + getattr(row, name) for name in _SUMS}
        Day.objects.filter(owner=new, day=row.day).update(**sums)
        row.delete()
