"""Figures from other apps, where they are installed: costs of model calls, and help lines shown.

There are many calls, so those of past days are rolled up once, and only later calls are read directly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from chat.analytics.models import Rollup
from chat.analytics.rollups import DAY

from .figures import Figures, companion_filter, step_indexes, step_text

#: The name of their rollups. No event has this name.
MODEL_CALLED = "model.called"

_DAY = timedelta(days=1)
#: Time after midnight until all calls of the day before are recorded.
_RECORDING_DELAY = timedelta(minutes=10)
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_TOTALS = {
    "spent": Sum("cost", default=0),
    "tokens": Sum("input_tokens", default=0) + Sum("output_tokens", default=0),
    "unpriced": Count("id", filter=Q(cost=None)),
    "calls": Count("id"),
}


@dataclass
class Costs:
    """The costs of a span by companion: money per step in units of the currency, and total tokens."""

    money: dict[str, list[float]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    unpriced: int = 0
    """Calls of models without a price."""
    sign: str = "$"
    """The sign of the currency."""


def costs(figures: Figures) -> Costs:
    """Return the costs of the same span and companion. Blocks."""
    found = Costs(sign=_SIGNS.get(settings.PRICE_CURRENCY, f"{settings.PRICE_CURRENCY} "))
    indexes = step_indexes(figures)
    for row in _rows(figures):
        money = found.money.setdefault(row["companion"], [0.0] * len(figures.starts))
        if (index := indexes.get(row["step"])) is not None:
            money[index] += row["spent"] / 1e6
        found.tokens[row["companion"]] = found.tokens.get(row["companion"], 0) + row["tokens"]
        found.calls += row["calls"]
        found.unpriced += row["unpriced"]
    return found


def _rows(figures: Figures) -> Iterable[dict[str, Any]]:
    since = figures.starts[0]
    if figures.span.step == DAY:
        days = Rollup.objects.filter(
            companion_filter(figures.companion), seconds=DAY, name=MODEL_CALLED, start__gte=since
        )
        for row in days.exclude(count=0):
            yield row.sums | {"companion": row.companion, "step": f"{row.start:%Y-%m-%d}", "calls": row.count}
        since = max(since, _first_open_day() or since)
    calls = _calls().filter(companion_filter(figures.companion), created_at__gte=since)
    yield from calls.values("companion", step=step_text(figures.span, "created_at")).annotate(**_TOTALS)


def _calls() -> QuerySet[Any]:
    if not apps.is_installed("chat.usage"):
        return Rollup.objects.none()
    calls: Any = apps.get_model("usage", "ModelCall")
    return calls.objects.all()


def _first_open_day() -> datetime | None:
    """Return the midnight from which calls are not rolled up yet; None when there are no calls."""
    if last := Rollup.objects.filter(seconds=DAY, name=MODEL_CALLED).order_by("start").last():
        return last.start + _DAY
    first = _calls().order_by("created_at").values_list("created_at", flat=True).first()
    return first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) if first else None


def roll_up_calls() -> int:
    """Roll up the calls of the next past day; return 1, or 0 when there is none. Called until it is 0."""
    now = timezone.now()
    day = _first_open_day() if settings.ANALYTICS_DAYS else None
    if day is None or day + _DAY + _RECORDING_DELAY > now:
        return 0
    day = max(day, now.replace(hour=0, minute=0, second=0, microsecond=0) - _DAY * settings.ANALYTICS_DAYS)
    calls = _calls().filter(created_at__gte=day, created_at__lt=day + _DAY)
    rows = [
        Rollup(
            seconds=DAY,
            start=day,
            name=MODEL_CALLED,
            count=row.pop("calls"),
            companion=row.pop("companion"),
            sums=row,
        )
        for row in calls.values("companion").annotate(**_TOTALS)
    ]
    empty = Rollup(seconds=DAY, start=day, name=MODEL_CALLED)
    Rollup.objects.bulk_create(rows or [empty], ignore_conflicts=True)
    return 1


def help_offered(figures: Figures) -> list[tuple[str, str, int]]:
    """Return (companion, level, number) of the help cards shown, from the counts of `chat.care`. Blocks."""
    if not apps.is_installed("chat.care"):
        return []
    counts: Any = apps.get_model("care", "CareCount").objects
    shown = counts.filter(companion_filter(figures.companion), day__gte=figures.days[0].date())
    rows = shown.values_list("companion", "level").annotate(number=Sum("shown"))
    return list(rows.order_by("companion", "level"))
