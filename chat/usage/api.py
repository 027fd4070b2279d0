"""`GET /api/usage`: what one has used today, and what is left."""

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from chat.protocol.openapi import errors
from chat.protocol.schemas import CamelSchema

from . import prices
from .budgets import budget_of, renews_at
from .ledger import spent_today

router = Router(by_alias=True, tags=["usage"])


class Used(CamelSchema):
    """Tokens read and written, minutes heard, calls made."""

    tokens: int
    input_tokens: int
    output_tokens: int
    calls: int
    cost: int | None = Field(description="Millionths of a unit of the currency; null without prices.")


class BudgetOut(CamelSchema):
    """A day's budget; null is no limit."""

    tokens: int | None
    cost: int | None


class DayOut(CamelSchema):
    today: Used
    budget: BudgetOut
    currency: str
    renews_at: datetime


@router.get("/usage", response={200: DayOut} | errors())
async def get_usage(request: HttpRequest) -> dict[str, Any]:
    """What the visitor has used today, the day's budget, and when the next day begins."""
    return await sync_to_async(_view)(request.auth)


def _view(owner: str) -> dict[str, Any]:
    day, budget = spent_today(owner), budget_of(owner)
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
