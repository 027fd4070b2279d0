"""Figures that other rooms keep, where they are installed: costs of model calls, help that was offered."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Q, Sum

from .figures import Figures, numbers, of, text_of

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


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
    if not apps.is_installed("chat.usage"):
        return Costs()
    usage: Any = apps.get_model("usage", "Usage")
    calls = usage.objects.filter(of(figures.companion), created_at__gte=figures.starts[0])
    rows = calls.values("companion", step=text_of(figures.span, "created_at")).annotate(
        spent=Sum("cost"),
        read=Sum("input_tokens"),
        said=Sum("output_tokens"),
        number=Count("id"),
        unpriced=Count("id", filter=Q(cost=None)),
    )
    number_of = numbers(figures)
    found = Costs(sign=_SIGNS.get(settings.PRICE_CURRENCY, f"{settings.PRICE_CURRENCY} "))
    for row in rows:
        who = row["companion"]
        money = found.money.setdefault(who, [0.0] * len(figures.starts))
        if (number := number_of.get(row["step"])) is not None:
            money[number] += (row["spent"] or 0) / 1e6
        found.tokens[who] = found.tokens.get(who, 0) + row["read"] + row["said"]
        found.calls += row["number"]
        found.unpriced += row["unpriced"]
    return found


def help_offered(figures: Figures) -> list[tuple[str, str, int]]:
    """Companion, level and how often a card with help was shown, from the counts of `chat.care`. Blocks."""
    if not apps.is_installed("chat.care"):
        return []
    counts: Any = apps.get_model("care", "CareCount").objects
    shown = counts.filter(of(figures.companion), day__gte=figures.days[0].date())
    rows = (
        shown.values_list("companion", "level").annotate(number=Sum("shown")).order_by("companion", "level")
    )
    return list(rows)
