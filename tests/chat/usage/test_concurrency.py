"""Many workers and web processes at the same budget at the same moment. On SQLite and on PostgreSQL."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from chat.errors import LimitReached
from chat.usage.budgets import reserve, settle
from chat.usage.ledger import record, spent_today
from chat.usage.models import Reservation, Usage
from queueing.api import new_id

pytestmark = pytest.mark.django_db(transaction=True)

OWNER = "s:alice"
THREADS = 8


@pytest.fixture(autouse=True)
def limited(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 1000


def at_once(work: Callable[[int], object]) -> list[object]:
    """What `work(0)` to `work(THREADS - 1)` return, each in a thread of its own, begun together."""
    ready = Barrier(THREADS)

    def run(number: int) -> object:
        ready.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def may(tokens: int, job_id: UUID | None = None) -> bool:
    try:
        reserve(OWNER, job_id or new_id(), tokens)
    except LimitReached:
        return False
    return True


def test_as_many_fit_as_there_is_room_for_and_not_one_more():
    won = at_once(lambda _: [may(100) for _ in range(5)])

    assert sum(map(sum, won)) == 10
    assert spent_today(OWNER).reserved_tokens == 1000


def test_one_job_reserved_by_two_workers_is_counted_once():
    job_id = new_id()

    assert all(at_once(lambda _: may(400, job_id)))
    assert spent_today(OWNER).reserved_tokens == 400


def test_one_call_that_is_recorded_by_many_is_recorded_once():
    call, job_id = new_id(), new_id()

    at_once(lambda _: record(job_id=job_id, owner=OWNER, model="m", input_tokens=7, call_id=call))

    assert Usage.objects.count() == 1
    assert spent_today(OWNER).tokens == 7


def test_whatever_workers_do_at_once_the_sums_are_right_and_within_the_budget():
    seen: list[int] = []

    def work(number: int) -> None:
        dice = random.Random(number)
        for _ in range(8):
            job_id, most = new_id(), dice.randint(1, 400)
            if may(most, job_id):
                record(job_id=job_id, owner=OWNER, model="m", input_tokens=dice.randint(0, most) // 4)
                day = spent_today(OWNER)
                seen.append(day.tokens + day.reserved_tokens)
                settle(job_id)

    at_once(work)

    assert len(seen) > THREADS
    assert max(seen) <= 1000
    day = spent_today(OWNER)
    assert day.tokens == sum(Usage.objects.values_list("input_tokens", flat=True))
    assert day.reserved_tokens == 0
    assert not Reservation.objects.exists()
