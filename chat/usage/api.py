"""`GET /api/usage`: today's usage and budget of the visitor."""

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from chat.protocol.openapi import errors
from chat.protocol.schemas.base import CamelSchema

from . import prices
from .budgets import budget_of, renews_at
from .ledger import usage_today

router = Router(by_alias=True, tags=["usage"])


class UsageOut(CamelSchema):
    """Totals of a day: tokens, calls and cost."""

    tokens: int
    input_tokens: int
    output_tokens: int
    calls: int
    cost: int | None = Field(description="Millionths of a unit of the currency; null without prices.")


class BudgetOut(CamelSchema):
    """The budget of a day; null means no limit."""

    tokens: int | None
    cost: int | None


class TodayOut(CamelSchema):
    """Today's usage, the budget, and the time at which it renews."""

    today: UsageOut
    budget: BudgetOut
    currency: str
    renews_at: datetime


@router.get("/usage", response={200: TodayOut} | errors())
async def get_usage(request: HttpRequest) -> dict[str, Any]:
    """Return today's usage, the daily budget, and the time at which the budget renews."""
    return await sync_to_async(_today)(request.auth)


def _today(owner: str) -> dict[str, Any]:
    day, budget = usage_today(owner), budget_of(owner)
    return {
        "today": {
            "tokens": day.tokens,
            "input_tokens": day.input_tokens,
            "output_tokens": day.output_tokens,
            "calls": day.calls,
            "cost": day.cost if prices.read(settings.OPENAI_PRICES) else None,
        },
        "budget": {"tokens": budget.tokens or None, "cost": budget.cost or None},
        "currency": settings.PRICE_CURRENCY,
        "renews_at": renews_at(),
    }
