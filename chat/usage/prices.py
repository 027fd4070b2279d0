"""Prices of tokens and minutes from `OPENAI_PRICES`. No price is in the code, because prices change."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_NAMES = ("input", "cached", "output", "minute")


@dataclass(frozen=True, kw_only=True)
class Price:
    """Units of money per million tokens, and per minute of audio."""

    input: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    minute: Decimal = Decimal(0)

    def of(self, *, fresh: int = 0, cached: int = 0, output: int = 0, seconds: float = 0.0) -> int:
        """Return the cost in millionths of a unit, rounded up.

        A price per million tokens equals the price of one token in millionths.
        """
        tokens = fresh * self.input + cached * self.cached + output * self.output
        return ceil(tokens + Decimal(seconds) * self.minute / 60 * 1_000_000)


def price_of(model: str) -> Price | None:
    """Return the price of `model`, or of the longest listed name that it is a dated version of.

    None when the model has no price. Raises `ImproperlyConfigured` when the setting is invalid.
    """
    table = read(settings.OPENAI_PRICES)
    names = [name for name in table if model == name or model.startswith(f"{name}-")]
    return table[max(names, key=len)] if names else None


def cost_of(
    model: str, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0, seconds: float = 0.0
) -> int | None:
    """Return the cost in millionths of a unit of money, or None when the model has no price."""
    price = price_of(model)
    if price is None:
        return None
    cached = min(cached_tokens, input_tokens)
    return price.of(fresh=input_tokens - cached, cached=cached, output=output_tokens, seconds=seconds)


@lru_cache(maxsize=4)
def read(text: str) -> dict[str, Price]:
    """Return the prices in `text`, JSON such as `{"a-model": {"input": 0.25, "cached": 0.025, "output": 2}}`.

    `cached` defaults to `input`. Raises `ImproperlyConfigured` with the reason when `text` is invalid.
    """
    try:
        table = json.loads(text or "{}", parse_float=Decimal)
    except ValueError as exc:
        raise ImproperlyConfigured(f"OPENAI_PRICES is not JSON ({exc}).") from None
    if not isinstance(table, dict):
        raise ImproperlyConfigured("OPENAI_PRICES is not a JSON object of models.")
    return {model: _price(model, fields) for model, fields in table.items()}


def _price(model: str, fields: Any) -> Price:
    if not isinstance(fields, dict) or not fields or set(fields) - set(_NAMES):
        raise ImproperlyConfigured(
            f"OPENAI_PRICES: {model!r} may only have the prices {', '.join(_NAMES)}, and needs at least one."
        )
    values = {name: _amount(model, name, value) for name, value in fields.items()}
    return Price(**{"cached": values.get("input", Decimal(0))} | values)


def _amount(model: str, name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise ImproperlyConfigured(f"OPENAI_PRICES: {name} of {model!r} is {value!r}, which is not a price.")
    return amount
