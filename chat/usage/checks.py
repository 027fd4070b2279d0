"""System checks of OPENAI_PRICES, PRICE_CURRENCY and BUDGET_*."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .prices import price_of, read

_BUDGETS = ("BUDGET_TOKENS_PER_DAY", "BUDGET_COST_PER_DAY")
BUDGETS = (*_BUDGETS, *(f"{name}_ANONYMOUS" for name in _BUDGETS))


@register()
def check_prices_and_budgets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report invalid prices, budgets and currencies, and models that a cost budget cannot limit."""
    try:
        read(settings.OPENAI_PRICES)
    except ImproperlyConfigured as exc:
        hint = 'Write JSON: {"the-model": {"input": 0.25, "cached": 0.025, "output": 2.0, "minute": 0.006}}.'
        return [Error(str(exc), hint=hint, id="usage.E001")]
    return [*_invalid_budgets(), *_invalid_currency(), *_unlimited_models()]


def _invalid_budgets() -> Iterator[CheckMessage]:
    for name in BUDGETS:
        if getattr(settings, name) < 0:
            message = f"{name} is {getattr(settings, name)}."
            yield Error(message, hint="Use 0 (no limit) or more.", id="usage.E002")


def _invalid_currency() -> Iterator[CheckMessage]:
    currency = settings.PRICE_CURRENCY
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        hint = "Use a three-letter currency code, such as USD or EUR."
        yield Error(f"PRICE_CURRENCY is {currency!r}.", hint=hint, id="usage.E003")


def _unlimited_models() -> Iterator[CheckMessage]:
    limits_cost = settings.BUDGET_COST_PER_DAY or settings.BUDGET_COST_PER_DAY_ANONYMOUS
    models = filter(None, (settings.OPENAI_MODEL, settings.OPENAI_FALLBACK_MODEL))
    if limits_cost and (unpriced := [model for model in models if price_of(model) is None]):
        yield Warning(
            f"BUDGET_COST_PER_DAY cannot limit {', '.join(unpriced)}: the model has no price.",
            hint="Add the model to OPENAI_PRICES, or set BUDGET_TOKENS_PER_DAY.",
            id="usage.W001",
        )
