"""Budgets: used and reserved tokens together never exceed the budget. Alice sends the messages."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.errors import LimitReached
from chat.usage import budgets
from chat.usage.budgets import reserve, settle
from chat.usage.ledger import CallRecord, record, usage_today
from chat.usage.models import BudgetReservation, DailyUsage, ModelCall
from chat.usage.personal_data import merge_days
from queueing.api import Job, State, new_id

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, USER = "s:alice", "u:7"
BUDGET = 1000


@pytest.fixture(autouse=True)
def with_budget(settings, monkeypatch):
    settings.BUDGET_TOKENS_PER_DAY = settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = BUDGET
    settings.OPENAI_PRICES = '{"scripted": {"input": 1, "output": 4}}'
    monkeypatch.setattr(budgets, "ORPHAN_AFTER", 0.0)


def job(state: State = State.ACTIVE) -> UUID:
    now = timezone.now()
    ended = now if state not in (State.ACTIVE, State.WAITING) else None
    return Job.objects.create(
        kind="chat.reply",
        queue="openai-chat",
        state=state,
        priority=2,
        created_at=now,
        finished_at=ended,
    ).id


def use(job_id: UUID, tokens: int, owner: str = ALICE) -> ModelCall:
    return record(CallRecord(job_id=job_id, owner=owner, model="scripted", input_tokens=tokens))


def totals(owner: str = ALICE) -> tuple[int, int]:
    """Return (used, reserved)."""
    day = usage_today(owner)
    return day.tokens, day.reserved_tokens


def test_settle_releases_the_unused_rest_of_a_reservation():
    first = job()
    reserve(ALICE, first, 600)
    assert totals() == (0, 600)
    use(first, 250)
    assert totals() == (250, 350)
    settle(first)
    assert totals() == (250, 0)
    assert not BudgetReservation.objects.exists()


def test_call_above_its_reservation_counts_in_full():
    first = job()
    reserve(ALICE, first, 100)
    use(first, 250)
    assert totals() == (250, 0)


def test_reserve_over_budget_is_rejected_and_changes_nothing():
    reserve(ALICE, job(), 600)
    with pytest.raises(LimitReached) as caught:
        reserve(ALICE, job(), 401)
    assert caught.value.code == "budget_spent"
    assert totals() == (0, 600)
    reserve(ALICE, job(), 400)


def test_reserve_with_budget_used_names_the_renewal_time():
    use(job(), 950)
    with pytest.raises(LimitReached, match=r"renews at midnight \(UTC\)") as caught:
        reserve(ALICE, job(), 100)
    assert 0 < caught.value.retry_after <= 86_400
    assert timezone.now() + timedelta(seconds=caught.value.retry_after) == pytest.approx(
        budgets.renews_at(), abs=timedelta(seconds=5)
    )


def test_reserve_with_budget_reserved_suggests_a_short_wait():
    reserve(ALICE, job(), 950)
    with pytest.raises(LimitReached, match="reserved for your earlier messages") as caught:
        reserve(ALICE, job(), 100)
    assert caught.value.retry_after <= 30


def test_reserve_over_the_whole_budget_suggests_a_new_conversation():
    with pytest.raises(LimitReached, match="exceed the whole daily budget"):
        reserve(ALICE, job(), BUDGET + 1)


def test_reserve_again_replaces_the_reservation():
    first = job()
    reserve(ALICE, first, 900)
    reserve(ALICE, first, 1000)
    reserve(ALICE, first, 10)
    assert totals() == (0, 10)


def test_reserve_again_within_the_reservation_succeeds_on_a_full_budget():
    first, second = job(), job()
    reserve(ALICE, first, 500)
    use(second, 900)  # more than was reserved
    reserve(ALICE, first, 500)
    with pytest.raises(LimitReached):
        reserve(ALICE, first, 501)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELLED])
def test_reservation_of_finished_job_is_released_when_needed(state):
    reserve(ALICE, job(state), 900)
    reserve(ALICE, job(), 800)
    assert totals() == (0, 800)


def test_reservation_of_missing_job_is_released_when_needed():
    reserve(ALICE, new_id(), 900)
    reserve(ALICE, job(), 800)
    assert totals() == (0, 800)


def test_reservation_of_uncommitted_job_is_kept(monkeypatch):
    monkeypatch.setattr(budgets, "ORPHAN_AFTER", 60.0)
    reserve(ALICE, new_id(), 900)
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 800)


def test_reserve_again_after_midnight_moves_to_the_new_day(monkeypatch):
    first = job()
    reserve(ALICE, first, 900)
    tomorrow = timezone.localdate() + timedelta(days=1)
    monkeypatch.setattr(timezone, "localdate", lambda: tomorrow)
    reserve(ALICE, first, 800)
    assert totals() == (0, 800)
    assert DailyUsage.objects.exclude(day=tomorrow).get().reserved_tokens == 0


def test_reserve_by_two_owners_uses_two_budgets():
    reserve(ALICE, job(), BUDGET)
    reserve(USER, job(), BUDGET)


def test_user_budget_differs_from_visitor_budget(settings):
    settings.BUDGET_TOKENS_PER_DAY = 2 * BUDGET
    reserve(USER, job(), 2 * BUDGET)
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 2 * BUDGET)


def test_reserve_without_budget_stores_nothing(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 0
    reserve(ALICE, job(), 10**9)
    assert not BudgetReservation.objects.exists()


def test_cost_budget_without_output_size_reserves_the_dearest_price(settings):
    settings.OPENAI_MODEL = "scripted"
    settings.BUDGET_COST_PER_DAY_ANONYMOUS = 0.001  # 1,000 millionths
    reserve(ALICE, job(), 100)
    assert usage_today(ALICE).reserved_cost == 400
    reserve(ALICE, job(), 100, output_tokens=50)
    assert usage_today(ALICE).reserved_cost == 400 + 250
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 100)


def test_merge_days_adds_totals_to_the_users_day(settings):
    first = job()
    reserve(ALICE, first, 300)
    use(first, 100)
    use(job(), 50, USER)
    with transaction.atomic():
        merge_days(ALICE, USER)
    BudgetReservation.objects.filter(owner=ALICE).update(owner=USER)
    assert totals(USER) == (150, 200)
    assert not DailyUsage.objects.filter(owner=ALICE).exists()
    settle(first)
    assert totals(USER) == (150, 0)


# --- any actions in any order ---------------------------------------------------------------------

jobs = st.integers(0, 3)
amounts = st.integers(0, BUDGET)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), jobs, amounts),
        st.tuples(st.just("call"), jobs, amounts),
        st.tuples(st.just("end"), jobs, st.booleans()),
    ),
    max_size=25,
)


@given(actions)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_used_and_reserved_never_exceed_the_budget(actions):
    owner = f"s:{new_id().hex}"
    ids: dict[int, UUID] = {}
    for action, number, detail in actions:
        job_id = ids.get(number) or ids.setdefault(number, job())
        if action == "reserve":
            before = totals(owner)
            try:
                reserve(owner, job_id, detail)
            except LimitReached:
                held = (
                    BudgetReservation.objects.filter(job_id=job_id).values_list("tokens", flat=True).first()
                    or 0
                )
                assert sum(before) - held + detail > BUDGET
        elif action == "call":
            held = BudgetReservation.objects.filter(job_id=job_id).first()
            use(job_id, min(detail, held.tokens if held else 0), owner)
        else:
            Job.objects.filter(id=job_id).update(state=State.COMPLETED, finished_at=timezone.now())
            if detail:  # else it ends without settling
                settle(job_id)
            del ids[number]
        used, reserved = totals(owner)
        assert used + reserved <= BUDGET
        assert reserved == sum(BudgetReservation.objects.filter(owner=owner).values_list("tokens", flat=True))
        assert used == sum(ModelCall.objects.filter(owner=owner).values_list("input_tokens", flat=True))


@pytest.mark.parametrize(
    ("visitors", "users", "more"),
    [(1000, 1000, False), (1000, 2000, True), (1000, 0, True), (0, 1000, False)],
)
def test_users_have_more_where_their_budget_is_larger_or_has_no_limit(settings, visitors, users, more):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS, settings.BUDGET_TOKENS_PER_DAY = visitors, users
    assert budgets.users_have_more() is more
