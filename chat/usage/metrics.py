"""Tokens and cost for /metrics, by model and never by owner."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Sum
from prometheus_client.metrics_core import CounterMetricFamily, Metric

from queueing.api.metrics import metric_name
from queueing.api.monitoring import CumulativeSums

from .models import ModelCall

_SUMS = {"input": "input_tokens", "cached": "cached_tokens", "output": "output_tokens", "cost": "cost"}


def _totals(since: datetime | None, until: datetime | None) -> Counter[tuple[str, str]]:
    """Return the totals by (model, key of `_SUMS`)."""
    calls = ModelCall.objects.all()
    if since:
        calls = calls.filter(created_at__gte=since)
    if until:
        calls = calls.filter(created_at__lt=until)
    # An alias equal to a field's name would hide the field from the next sum.
    sums = {f"sum_{what}": Sum(field) for what, field in _SUMS.items()}
    rows = calls.order_by().values("model").annotate(**sums)
    return Counter({(row["model"], what): row[f"sum_{what}"] or 0 for row in rows for what in _SUMS})


_all_time = CumulativeSums(_totals)


def metrics() -> Iterator[Metric]:
    """Yield the tokens and the cost of all recorded calls."""
    used = _all_time.total()
    tokens = CounterMetricFamily(
        metric_name("tokens"),
        "Tokens by kind; cached tokens are included in input.",
        labels=["kind", "model"],
    )
    cost = CounterMetricFamily(
        metric_name("cost"), "Cost of calls of models in OPENAI_PRICES.", labels=["model", "currency"]
    )
    for model in sorted({model for model, _ in used}):
        for kind in ("input", "cached", "output"):
            tokens.add_metric([kind, model], used[model, kind])
        if spent := used[model, "cost"]:
            cost.add_metric([model, settings.PRICE_CURRENCY], spent / 1_000_000)
    yield from (tokens, cost)
