"""The numbers of jobs in the dialogs of operators. They read no whole table (tests/queueing/databases)."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from queueing.control import figures
from queueing.models import Job
from queueing.states import State
from queueing.values.ids import first_id_at

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def ended(state: State, number: int, *, days: float = 30.0, queue: str = "test", lasted: float = 0.0) -> None:
    """Store a finished job that was submitted some days ago, and took some days."""
    began = timezone.now() - timedelta(days=days)
    Job.objects.create(
        id=UUID(int=first_id_at(began).int + number),
        kind="test.echo",
        queue=queue,
        state=state,
        priority=5,
        created_at=began,
        finished_at=began + timedelta(days=lasted),
    )


def test_figures_of_finished_jobs_count_those_of_the_queue_that_ended_before():
    for number, state in enumerate((State.COMPLETED, State.COMPLETED, State.FAILED)):
        ended(state, number)
    ended(State.CANCELLED, 3, queue="other")
    ended(State.CANCELLED, 4, days=2)
    ended(State.CANCELLED, 5, days=20, lasted=19)
    assert figures.of_finished("test", WEEK) == ["Older than 7 days: 2 completed, 1 failed, 0 cancelled."]


def test_figures_of_more_jobs_than_are_read_say_at_least(monkeypatch):
    monkeypatch.setattr(figures, "_MAX_READ", 2)
    for number in range(3):
        ended(State.COMPLETED, number)
    expected = "Older than 7 days: at least 2 completed, 0 failed, 0 cancelled."
    assert figures.of_finished("test", WEEK) == [expected]
