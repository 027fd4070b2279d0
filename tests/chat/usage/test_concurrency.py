"""Budgets under concurrent workers and web processes, on SQLite and on PostgreSQL."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from chat.errors import LimitReached
from chat.usage.budgets import reserve, settle
from chat.usage.ledger import CallRecord, record, usage_today
from chat.usage.models import BudgetReservation, ModelCall
from queueing.api import new_id

pytestmark = pytest.mark.django_db(transaction=True)

OWNER = "s:alice"
THREADS = 8


@pytest.fixture(autouse=True)
def with_budget(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 1000


def run_concurrently(work: Callable[[int], object]) -> list[object]:
    """Run `work(0)` to `work(THREADS - 1)` in OS threads that start together; return their results."""
    ready = Barrier(THREADS)

    def run(number: int) -> object:
        ready.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def try_reserve(tokens: int, job_id: UUID | None = None) -> bool:
    try:
        reserve(OWNER, job_id or new_id(), tokens)
    except LimitReached:
        return False
    return True


def test_concurrent_reserve_fills_the_budget_exactly():
    granted = run_concurrently(lambda _: [try_reserve(100) for _ in range(5)])

    assert sum(map(sum, granted)) == 10
    assert usage_today(OWNER).reserved_tokens == 1000


def test_concurrent_reserve_of_one_job_counts_once():
    job_id = new_id()

    assert all(run_concurrently(lambda _: try_reserve(400, job_id)))
    assert usage_today(OWNER).reserved_tokens == 400


def test_concurrent_record_of_one_call_stores_it_once():
    call, job_id = new_id(), new_id()

    run_concurrently(
        lambda _: record(CallRecord(id=call, job_id=job_id, owner=OWNER, model="m", input_tokens=7))
    )

    assert ModelCall.objects.count() == 1
    assert usage_today(OWNER).tokens == 7


def test_concurrent_calls_keep_totals_right_and_within_the_budget():
    totals: list[int] = []

    def work(number: int) -> None:
        dice = random.Random(number)
        for _ in range(8):
            job_id, most = new_id(), dice.randint(1, 400)
            if try_reserve(most, job_id):
                used = dice.randint(0, most) // 4
                record(CallRecord(job_id=job_id, owner=OWNER, model="m", input_tokens=used))
                day = usage_today(OWNER)
                totals.append(day.tokens + day.reserved_tokens)
                settle(job_id)

    run_concurrently(work)

    assert len(totals) > THREADS
    assert max(totals) <= 1000
    day = usage_today(OWNER)
    assert day.tokens == sum(ModelCall.objects.values_list("input_tokens", flat=True))
    assert day.reserved_tokens == 0
    assert not BudgetReservation.objects.exists()
