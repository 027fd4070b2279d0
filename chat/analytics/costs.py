"""What the model calls of a span cost, from the usage that `chat.usage` keeps; without it, nothing."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Count, Q, Sum

from .figures import Figures, numbers, of, text_of


@dataclass
class Costs:
    """By companion: money by step of the span (in units, not millionths), and tokens altogether."""

    money: dict[str, list[float]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    unpriced: int = 0
    """Calls of models without a price."""


def read(figures: Figures) -> Costs:
    """The costs of the same span and companion. Blocks."""
    if not apps.is_installed("chat.usage"):
        return Costs()
    usage: Any = apps.get_model("usage", "Usage")
    calls = usage.objects.filter(of(figures.companion), created_at__gte=figures.starts[0])
    found = calls.values("companion", step=text_of(figures.span, "created_at")).annotate(
        spent=Sum("cost"),
        read=Sum("input_tokens"),
        said=Sum("output_tokens"),
        number=Count("id"),
        unpriced=Count("id", filter=Q(cost=None)),
    )
    number_of = numbers(figures)
    money: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(figures.starts))
    costs = Costs(money)
    for row in found:
        name = row["companion"]
        if (number := number_of.get(row["step"])) is not None:
            money[name][number] += (row["spent"] or 0) / 1e6
        costs.tokens[name] = costs.tokens.get(name, 0) + row["read"] + row["said"]
        costs.calls += row["number"]
        costs.unpriced += row["unpriced"]
    return costs
