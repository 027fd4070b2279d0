"""Python, Lua and the database mean the same states."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from queueing.control import verbs
from queueing.errors import WrongState
from queueing.models import Job
from queueing.schedule import redis_client
from queueing.states import FINISHED, TRANSITIONS, UNFINISHED, State

LUA = Path(redis_client.__file__).parent / "lua"
STATES = {state.value for state in State}
#: What a queue or a claim can be; the scripts know these words too.
OTHER_WORDS = {"paused", "parked", "stalled", "gone", "unknown", "retrying", "pending", "running"}


def code(path: Path) -> str:
    """A script without its comments."""
    return re.sub(r"--.*", "", path.read_text())


def test_every_state_is_either_over_or_not():
    assert set(State) == UNFINISHED | FINISHED
    assert not UNFINISHED & FINISHED


def test_the_scripts_name_only_states_that_exist():
    named = {
        word
        for path in LUA.glob("*.lua")
        for word in re.findall(r"'([a-z]+)'", code(path))
        if word.endswith(("ed", "ing", "ive")) and word not in OTHER_WORDS
    }
    assert {"waiting", "delayed", "active", "completed"} <= named
    assert named <= STATES


def test_the_structures_of_a_queue_are_its_unfinished_states():
    fields = set(re.findall(r"(\w+) = KEYS\[", code(LUA / "common.lua")))
    assert {state.value for state in UNFINISHED} <= fields
    assert not {state.value for state in FINISHED} & fields


def test_finish_lists_what_ends_by_a_worker():
    lists = re.search(r"local lists = \{(.*?)\}", code(LUA / "finish.lua")).group(1)
    assert set(re.findall(r"(\w+) =", lists)) == {State.COMPLETED, State.FAILED}


def test_places_tell_unfinished_states():
    told = set(re.findall(r"state, number = '(\w+)'", code(LUA / "positions.lua"))) | {"waiting"}
    assert told == {state.value for state in UNFINISHED} | {"unknown"}


def test_the_database_offers_the_states():
    assert {value for value, _ in Job._meta.get_field("state").choices} == STATES
    assert max(map(len, STATES)) <= Job._meta.get_field("state").max_length


def row(state: str) -> Job:
    """An unsaved row in this state."""
    over = timezone.now() if state in FINISHED else None
    return Job(
        kind="test.noop", queue="test", state=state, priority=5, created_at=timezone.now(), finished_at=over
    )


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(State))
def test_the_database_takes_each_state(state):
    row(state).save()
    assert Job.objects.get().state == state


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["stalled", "paused", "", "WAITING"])
def test_the_database_refuses_any_other_state(state):
    with pytest.raises(IntegrityError, match="job_state_known"), transaction.atomic():
        row(state).save()


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(State))
def test_a_row_has_an_end_exactly_when_it_is_over(state):
    job = row(state)
    job.finished_at = None if state in FINISHED else timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        job.save()


def test_the_statements_of_the_record_name_only_states_that_exist():
    from queueing.record import attempts

    text = Path(attempts.__file__).read_text()
    named = set(re.findall(r"state (?:=|IN|<>) ?\(?'(\w+)'", text))
    assert named
    assert named <= STATES


def test_moves_lead_from_and_to_known_states():
    for verb, (starts, ends) in TRANSITIONS.items():
        assert starts, verb
        assert starts <= set(State), verb
        assert ends in State, verb


def test_what_is_over_moves_only_by_retry():
    assert [verb for verb, (starts, _) in TRANSITIONS.items() if starts & FINISHED] == ["retry"]
    assert State.COMPLETED not in TRANSITIONS["retry"][0]


def test_every_unfinished_state_can_end_and_every_state_can_be_reached():
    for state in UNFINISHED:
        assert any(state in starts and ends in FINISHED for starts, ends in TRANSITIONS.values())
    assert {ends for _, ends in TRANSITIONS.values()} | {State.WAITING, State.DELAYED} == set(State)


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("verb", ["cancel", "retry", "promote"])
@pytest.mark.parametrize("state", sorted(State))
def test_a_persons_move_starts_where_the_table_says(verb, state):
    job = row(state)
    job.save()
    starts, ends = TRANSITIONS[verb]
    if state in starts:
        getattr(verbs, verb)(job.id)
        job.refresh_from_db()
        assert job.state == ends
    else:
        with pytest.raises(WrongState, match=f"cannot {verb} a job that is {state}"):
            getattr(verbs, verb)(job.id)
        job.refresh_from_db()
        assert job.state == state
    assert connection.in_atomic_block
