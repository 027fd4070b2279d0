"""Recurring jobs that code declares: checked when they are declared, stored when a cluster starts."""

import pytest

from queueing.errors import BadValue
from queueing.models import RecurringJob, RecurringTick
from queueing.recurring import definition, verbs
from queueing.recurring.checks import check_declared_jobs
from queueing.recurring.declaring import declare_all
from queueing.recurring.definition import recurring

from .conftest import look

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_declared(monkeypatch):
    """Let each test declare its own."""
    monkeypatch.setattr(definition, "_declared", {})


def forget_all() -> None:
    definition._declared.clear()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"cron": "0 25 * * *"}, "cron"),
        ({"every": 60}, "cron"),
        ({"cron": ""}, "cron"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"missed": "never"}, "missed"),
        ({"overlap": "maybe"}, "overlap"),
        ({"grace": 0}, "grace"),
        ({"grace": 10**9}, "grace"),
    ],
)
def test_declaration_that_is_wrong_names_its_field(values, field):
    with pytest.raises(BadValue) as caught:
        recurring(**{"name": "r", "kind": "test.noop", "cron": "0 3 * * *"} | values)
    assert caught.value.field == field


def test_declaration_twice_with_other_values_is_refused():
    recurring("r", kind="test.noop", every=60)
    recurring("r", kind="test.noop", every=60)  # a module that is imported under two names
    with pytest.raises(BadValue, match="declared twice"):
        recurring("r", kind="test.noop", every=61)


def test_declared_jobs_are_stored_by_name_and_follow_the_code(clock, valkey):
    recurring("r", kind="test.noop", every=600)
    declare_all()
    row = RecurringJob.objects.get()
    assert (row.every, row.time_zone, row.from_code) == (600, "America/Chicago", True)
    clock.step(minutes=12)
    forget_all()
    recurring("r", kind="test.noop", every=600, args={"n": 1})
    declare_all()
    look()
    assert RecurringTick.objects.get().outcome == "submitted", "a tick that was missed is still due"
    forget_all()
    recurring("r", kind="test.noop", cron="0 3 * * *")
    declare_all()
    assert RecurringJob.objects.get().cron == "0 3 * * *"


def test_job_that_left_the_code_is_paused_until_it_is_declared_again(clock):
    recurring("r", kind="test.noop", every=600)
    declare_all()
    forget_all()
    declare_all()
    row = RecurringJob.objects.get()
    assert (row.paused, row.left_code) == (True, True)
    clock.step(minutes=12)
    recurring("r", kind="test.noop", every=600)
    declare_all()
    row.refresh_from_db()
    assert (row.paused, row.left_code, row.next_at.minute) == (False, False, 20)
    assert RecurringTick.objects.get().outcome == "paused"


def test_pause_of_an_operator_stays_through_starts(clock):
    recurring("r", kind="test.noop", every=600)
    declare_all()
    verbs.pause("r")
    declare_all()
    assert RecurringJob.objects.get().paused
    forget_all()
    declare_all()
    recurring("r", kind="test.noop", every=600)
    declare_all()
    row = RecurringJob.objects.get()
    assert (row.paused, row.left_code) == (True, False)


def test_resumed_job_that_left_the_code_belongs_to_the_admin(clock):
    recurring("r", kind="test.noop", every=600)
    declare_all()
    forget_all()
    declare_all()
    verbs.resume("r")
    declare_all()
    assert not RecurringJob.objects.get().paused
    verbs.delete("r")
    assert not RecurringJob.objects.exists()


def test_declared_job_cannot_be_deleted_and_others_stay_alone(clock):
    recurring("r", kind="test.noop", every=600)
    verbs.store(definition.Definition(name="page", kind="test.noop", every=60, time_zone="UTC"))
    declare_all()
    with pytest.raises(BadValue, match="declared in the code"):
        verbs.delete("r")
    assert not RecurringJob.objects.get(name="page").from_code


@pytest.mark.parametrize(
    ("values", "named"), [({"kind": "no.such"}, "no.such"), ({"args": {"x": 1}}, "does not take")]
)
def test_check_finds_declarations_whose_job_cannot_be_submitted(values, named):
    recurring("fine", kind="test.sync", args={"n": 1}, every=60)
    recurring(**{"name": "r", "kind": "test.sync", "args": {"n": 1}, "every": 60} | values)
    (message,) = check_declared_jobs()
    assert message.id == "queueing.E012"
    assert named in message.msg
