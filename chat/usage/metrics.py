"""Tokens and money for /metrics: by model, never by owner."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Sum
from prometheus_client.metrics_core import CounterMetricFamily, Metric

from queueing.api.monitoring import CumulativeSums, metric_name

from .models import Usage

_SUMS = {"input": "input_tokens", "cached": "cached_tokens", "output": "output_tokens", "cost": "cost"}


def _used(since: datetime | None, until: datetime | None) -> Counter[tuple[str, str]]:
    """(model, name in `_SUMS`): how much."""
    calls = Usage.objects.all()
    if since:
        calls = calls.filter(created_at__gte=since)
    if until:
        calls = calls.filter(created_at__lt=until)
    # Named apart from the fields: an alias of a field's own name would hide it from the next sum.
    sums = {f"sum_{what}": Sum(field) for what, field in _SUMS.items()}
    rows = calls.order_by().values("model").annotate(**sums)
    return Counter({(row["model"], what): row[f"sum_{what}"] or 0 for row in rows for what in _SUMS})


_ever = CumulativeSums(_used)


def metrics() -> Iterator[Metric]:
    """What all calls used since the first that is on record."""
    used = _ever.total()
    tokens = CounterMetricFamily(
        metric_name("tokens"), "Tokens; cached ones are among the input.", labels=["kind", "model"]
    )
    cost = CounterMetricFamily(
        metric_name("cost"), "Money, where OPENAI_PRICES knows the model.", labels=["model", "currency"]
    )
    for model in sorted({model for model, _ in used}):
        for kind in ("input", "cached", "output"):
            tokens.add_metric([kind, model], used[model, kind])
        if spent := used[model, "cost"]:
            cost.add_metric([model, settings.PRICE_CURRENCY], spent / 1_000_000)
    yield from (tokens, cost)
