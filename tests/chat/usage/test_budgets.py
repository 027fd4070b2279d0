"""Budgets: what is set aside and what is spent never pass them together. Alice asks."""

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
from chat.usage.ledger import record, spent_today
from chat.usage.models import Day, Reservation, Usage
from chat.usage.personal_data import move_days
from queueing.api import Job, State, new_id

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, ADA = "s:alice", "u:7"
BUDGET = 1000


@pytest.fixture(autouse=True)
def limited(settings, monkeypatch):
    settings.BUDGET_TOKENS_PER_DAY = settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = BUDGET
    settings.OPENAI_PRICES = '{"scripted": {"input": 1, "output": 4}}'
    monkeypatch.setattr(budgets, "GRACE", 0.0)


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


def spend(job_id: UUID, tokens: int, owner: str = ALICE) -> Usage:
    return record(job_id=job_id, owner=owner, model="scripted", input_tokens=tokens)


def sums(owner: str = ALICE) -> tuple[int, int]:
    """(spent, set aside)"""
    day = spent_today(owner)
    return day.tokens, day.reserved_tokens


def test_what_is_set_aside_is_paid_from_and_the_rest_comes_back():
    first = job()
    reserve(ALICE, first, 600)
    assert sums() == (0, 600)
    spend(first, 250)
    assert sums() == (250, 350)
    settle(first)
    assert sums() == (250, 0)
    assert not Reservation.objects.exists()


def test_a_call_that_used_more_than_was_set_aside_counts_in_full():
    first = job()
    reserve(ALICE, first, 100)
    spend(first, 250)
    assert sums() == (250, 0)


def test_what_does_not_fit_is_rejected_and_changes_nothing():
    reserve(ALICE, job(), 600)
    with pytest.raises(LimitReached) as caught:
        reserve(ALICE, job(), 401)
    assert caught.value.code == "budget_spent"
    assert sums() == (0, 600)
    reserve(ALICE, job(), 400)


def test_a_spent_budget_names_the_time_it_renews():
    spend(job(), 950)
    with pytest.raises(LimitReached, match=r"renews at midnight \(UTC\)") as caught:
        reserve(ALICE, job(), 100)
    assert 0 < caught.value.retry_after <= 86_400
    assert timezone.now() + timedelta(seconds=caught.value.retry_after) == pytest.approx(
        budgets.renews_at(), abs=timedelta(seconds=5)
    )


def test_a_budget_that_is_only_set_aside_may_have_room_soon():
    reserve(ALICE, job(), 950)
    with pytest.raises(LimitReached, match="set aside for what you asked before") as caught:
        reserve(ALICE, job(), 100)
    assert caught.value.retry_after <= 30


def test_what_no_day_has_room_for_is_not_told_to_wait_for_the_next():
    with pytest.raises(LimitReached, match="more than a whole day's budget"):
        reserve(ALICE, job(), BUDGET + 1)


def test_reserving_again_replaces_what_was_set_aside():
    first = job()
    reserve(ALICE, first, 900)
    reserve(ALICE, first, 1000)
    reserve(ALICE, first, 10)
    assert sums() == (0, 10)


def test_what_was_promised_is_kept_when_others_have_spent_the_rest():
    first, second = job(), job()
    reserve(ALICE, first, 500)
    spend(second, 900)  # more than anybody expected
    reserve(ALICE, first, 500)
    with pytest.raises(LimitReached):
        reserve(ALICE, first, 501)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELLED])
def test_what_a_job_that_is_over_left_behind_does_not_stand_in_the_way(state):
    reserve(ALICE, job(state), 900)
    reserve(ALICE, job(), 800)
    assert sums() == (0, 800)


def test_what_a_job_that_is_gone_left_behind_does_not_stand_in_the_way():
    reserve(ALICE, new_id(), 900)
    reserve(ALICE, job(), 800)
    assert sums() == (0, 800)


def test_a_job_that_was_not_committed_yet_keeps_what_is_set_aside_for_it(monkeypatch):
    monkeypatch.setattr(budgets, "GRACE", 60.0)
    reserve(ALICE, new_id(), 900)
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 800)


def test_a_job_that_waited_past_midnight_is_paid_by_the_new_day(monkeypatch):
    first = job()
    reserve(ALICE, first, 900)
    tomorrow = timezone.localdate() + timedelta(days=1)
    monkeypatch.setattr(timezone, "localdate", lambda: tomorrow)
    reserve(ALICE, first, 800)
    assert sums() == (0, 800)
    assert Day.objects.exclude(day=tomorrow).get().reserved_tokens == 0


def test_owners_do_not_share_a_budget():
    reserve(ALICE, job(), BUDGET)
    reserve(ADA, job(), BUDGET)


def test_who_has_signed_in_may_have_another_budget(settings):
    settings.BUDGET_TOKENS_PER_DAY = 2 * BUDGET
    reserve(ADA, job(), 2 * BUDGET)
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 2 * BUDGET)


def test_without_a_budget_nothing_is_set_aside(settings):
    settings.BUDGET_TOKENS_PER_DAY_ANONYMOUS = 0
    reserve(ALICE, job(), 10**9)
    assert not Reservation.objects.exists()


def test_a_budget_in_money_takes_every_token_for_the_dearest_unless_told(settings):
    settings.OPENAI_MODEL = "scripted"
    settings.BUDGET_COST_PER_DAY_ANONYMOUS = 0.001  # 1,000 millionths
    reserve(ALICE, job(), 100)
    assert spent_today(ALICE).reserved_cost == 400
    reserve(ALICE, job(), 100, output_tokens=50)
    assert spent_today(ALICE).reserved_cost == 400 + 250
    with pytest.raises(LimitReached):
        reserve(ALICE, job(), 100)


def test_signing_up_adds_the_day_to_the_users(settings):
    first = job()
    reserve(ALICE, first, 300)
    spend(first, 100)
    spend(job(), 50, ADA)
    with transaction.atomic():
        move_days(ALICE, ADA)
    Reservation.objects.filter(owner=ALICE).update(owner=ADA)
    assert sums(ADA) == (150, 200)
    assert not Day.objects.filter(owner=ALICE).exists()
    settle(first)
    assert sums(ADA) == (150, 0)


# --- whatever happens in whatever order -----------------------------------------------------------

jobs = st.integers(0, 3)
amounts = st.integers(0, BUDGET)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), jobs, amounts),
        st.tuples(st.just("call"), jobs, amounts),
        st.tuples(st.just("end"), jobs, st.booleans()),
    ),
    max_size=25,
)


@given(moves)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spent_and_set_aside_together_never_pass_the_budget(moves):
    owner = f"s:{new_id().hex}"
    ids: dict[int, UUID] = {}
    for move, number, detail in moves:
        job_id = ids.get(number) or ids.setdefault(number, job())
        if move == "reserve":
            before = sums(owner)
            try:
                reserve(owner, job_id, detail)
            except LimitReached:
                held = Reservation.objects.filter(job_id=job_id).values_list("tokens", flat=True).first() or 0
                assert sum(before) - held + detail > BUDGET
        elif move == "call":
            held = Reservation.objects.filter(job_id=job_id).first()
            spend(job_id, min(detail, held.tokens if held else 0), owner)
        else:
            Job.objects.filter(id=job_id).update(state=State.COMPLETED, finished_at=timezone.now())
            if detail:  # else it vanishes without a word
                settle(job_id)
            del ids[number]
        spent, set_aside = sums(owner)
        assert spent + set_aside <= BUDGET
        assert set_aside == sum(Reservation.objects.filter(owner=owner).values_list("tokens", flat=True))
        assert spent == sum(Usage.objects.filter(owner=owner).values_list("input_tokens", flat=True))
