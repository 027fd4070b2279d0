"""Figures that other rooms keep, where they are installed: costs of model calls, help that was offered.

Calls are many, so those of days that are over are summed up once; only what came after is read anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from .figures import Figures, numbers, of, text_of
from .models import Rollup
from .rollups import DAY

#: The name of their sums among the rollups. It is no event's.
CALLED = "model.called"

_DAY = timedelta(days=1)
#: After midnight, until the calls of the day before are all on record.
_SETTLED = timedelta(minutes=10)
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_SUMS = {
    "spent": Sum("cost", default=0),
    "tokens": Sum("input_tokens", default=0) + Sum("output_tokens", default=0),
    "unpriced": Count("id", filter=Q(cost=None)),
    "calls": Count("id"),
}


@dataclass
class Costs:
    """By companion: money by step of the span (in units, not millionths), and tokens altogether."""

    money: dict[str, list[float]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    unpriced: int = 0
    """Calls of models without a price."""
    sign: str = "$"
    """Of the currency."""


def costs(figures: Figures) -> Costs:
    """The costs of the same span and companion. Blocks."""
    found = Costs(sign=_SIGNS.get(settings.PRICE_CURRENCY, f"{settings.PRICE_CURRENCY} "))
    number_of = numbers(figures)
    for row in _summed(figures):
        money = found.money.setdefault(row["companion"], [0.0] * len(figures.starts))
        if (number := number_of.get(row["step"])) is not None:
            money[number] += row["spent"] / 1e6
        found.tokens[row["companion"]] = found.tokens.get(row["companion"], 0) + row["tokens"]
        found.calls += row["calls"]
        found.unpriced += row["unpriced"]
    return found


def _summed(figures: Figures) -> Iterable[dict[str, Any]]:
    since = figures.starts[0]
    if figures.span.step == DAY:
        days = Rollup.objects.filter(of(figures.companion), seconds=DAY, name=CALLED, start__gte=since)
        for row in days.exclude(count=0):
            yield row.sums | {"companion": row.companion, "step": f"{row.start:%Y-%m-%d}", "calls": row.count}
        since = max(since, _first_open_day() or since)
    calls = _calls().filter(of(figures.companion), created_at__gte=since)
    yield from calls.values("companion", step=text_of(figures.span, "created_at")).annotate(**_SUMS)


def _calls() -> QuerySet[Any]:
    if not apps.is_installed("chat.usage"):
        return Rollup.objects.none()
    calls: Any = apps.get_model("usage", "ModelCall")
    return calls.objects.all()


def _first_open_day() -> datetime | None:
    """The midnight from which on calls are not summed up; None when there are none at all."""
    if last := Rollup.objects.filter(seconds=DAY, name=CALLED).order_by("start").last():
        return last.start + _DAY
    first = _calls().order_by("created_at").values_list("created_at", flat=True).first()
    return first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) if first else None


def sum_up_calls() -> int:
    """Sum up the next day that is over; 1, or 0 when there was none. Called again until it answers 0."""
    now = timezone.now()
    day = _first_open_day() if settings.ANALYTICS_DAYS else None
    if day is None or day + _DAY + _SETTLED > now:
        return 0
    day = max(day, now.replace(hour=0, minute=0, second=0, microsecond=0) - _DAY * settings.ANALYTICS_DAYS)
    calls = _calls().filter(created_at__gte=day, created_at__lt=day + _DAY)
    rows = [
        Rollup(
            seconds=DAY,
            start=day,
            name=CALLED,
            count=row.pop("calls"),
            companion=row.pop("companion"),
            sums=row,
        )
        for row in calls.values("companion").annotate(**_SUMS)
    ]
    nothing = Rollup(seconds=DAY, start=day, name=CALLED)
    Rollup.objects.bulk_create(rows or [nothing], ignore_conflicts=True)
    return 1


def help_offered(figures: Figures) -> list[tuple[str, str, int]]:
    """Companion, level and how often a card with help was shown, from the counts of `chat.care`. Blocks."""
    if not apps.is_installed("chat.care"):
        return []
    counts: Any = apps.get_model("care", "CareCount").objects
    shown = counts.filter(of(figures.companion), day__gte=figures.days[0].date())
    rows = shown.values_list("companion", "level").annotate(number=Sum("shown"))
    return list(rows.order_by("companion", "level"))
