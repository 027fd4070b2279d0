"""Python, Lua and the database have the same states."""

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
#: Words in the scripts that are not states of jobs.
OTHER_WORDS = {"paused", "parked", "stalled", "gone", "unknown", "retrying", "pending", "running", "weighted"}
OTHER_WORDS |= {"reconciled", "reserved", "failing", "blamed", "mixed"}


def code(path: Path) -> str:
    """Return a script without its comments."""
    return re.sub(r"--.*", "", path.read_text())


def test_states_are_finished_or_unfinished():
    assert set(State) == UNFINISHED | FINISHED
    assert not UNFINISHED & FINISHED


def test_scripts_use_only_known_states():
    named = {
        word
        for path in LUA.glob("*.lua")
        for word in re.findall(r"'([a-z]+)'", code(path))
        if word.endswith(("ed", "ing", "ive")) and word not in OTHER_WORDS
    }
    assert {"waiting", "delayed", "active", "completed"} <= named
    assert named <= STATES


def test_scripts_have_one_set_for_each_unfinished_state():
    fields = set(re.findall(r"(\w+) = KEYS\[", code(LUA / "common.lua")))
    assert {state.value for state in UNFINISHED} <= fields
    assert not {state.value for state in FINISHED} & fields


def test_finish_script_lists_completed_and_failed():
    lists = re.search(r"local lists = \{(.*?)\}", code(LUA / "finish.lua")).group(1)
    assert set(re.findall(r"(\w+) =", lists)) == {State.COMPLETED, State.FAILED}


def test_positions_script_returns_unfinished_states():
    states = set(re.findall(r"state, number = '(\w+)'", code(LUA / "positions.lua"))) | {"waiting"}
    assert states == {state.value for state in UNFINISHED} | {"unknown"}


def test_state_field_has_known_choices():
    assert {value for value, _ in Job._meta.get_field("state").choices} == STATES
    assert max(map(len, STATES)) <= Job._meta.get_field("state").max_length


def row(state: str) -> Job:
    """Return an unsaved row in this state."""
    finished_at = timezone.now() if state in FINISHED else None
    about = {"kind": "test.noop", "queue": "test", "priority": 5, "created_at": timezone.now()}
    return Job(state=state, finished_at=finished_at, **about)


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(State))
def test_database_known_state_is_stored(state):
    row(state).save()
    assert Job.objects.get().state == state


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["stalled", "paused", "", "WAITING"])
def test_database_unknown_state_is_refused(state):
    with pytest.raises(IntegrityError, match=r"job_(state_known|finished_at)"), transaction.atomic():
        row(state).save()  # PostgreSQL names the first by the alphabet of the constraints that refuse it


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(State))
def test_database_finished_at_contradicting_state_is_refused(state):
    job = row(state)
    job.finished_at = None if state in FINISHED else timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        job.save()


def test_record_statements_use_only_known_states():
    from queueing.record import attempts, end_rows

    text = Path(attempts.__file__).read_text() + Path(end_rows.__file__).read_text()
    named = set(re.findall(r"state (?:=|IN|<>) ?\(?'(\w+)'", text))
    assert named
    assert named <= STATES


def test_transitions_use_only_known_states():
    for verb, (starts, ends) in TRANSITIONS.items():
        assert starts, verb
        assert starts <= set(State), verb
        assert ends in State, verb


def test_transitions_from_finished_states_are_retries():
    assert [verb for verb, (starts, _) in TRANSITIONS.items() if starts & FINISHED] == ["retry"]
    assert State.COMPLETED not in TRANSITIONS["retry"][0]


def test_transitions_end_every_unfinished_state_and_reach_every_state():
    for state in UNFINISHED:
        assert any(state in starts and ends in FINISHED for starts, ends in TRANSITIONS.values())
    assert {ends for _, ends in TRANSITIONS.values()} | {State.WAITING, State.DELAYED} == set(State)


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("verb", ["cancel", "retry", "promote"])
@pytest.mark.parametrize("state", sorted(State))
def test_verbs_in_each_state_follow_transitions(verb, state):
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
