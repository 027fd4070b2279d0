"""Unique jobs: wrong values are named; what makes two submissions the same work."""

import math
from typing import Any

import pytest
from django.db import transaction

from queueing.errors import BadSubmission
from queueing.models import Job
from queueing.submit import submit
from queueing.unique import Unique
from queueing.values.ids import new_id

WRONG: list[dict[str, Any]] = [
    {"key": 5},
    {"key": "a\x00"},
    {"key": "\ud800"},
    {"by": "url"},
    {"by": [1]},
    {"key": "a", "by": ("url",)},
    {"until": "success"},
    {"until": None},
    {"until": "period"},
    {"period": 5},
    *[{"until": "period", "period": value} for value in (0, -1, math.nan, True, "5", 10**5000)],
    {"until": "period", "period": 5, "on_conflict": "replace"},
    {"until": "period", "period": 5, "on_conflict": "latest"},
    {"until": "start", "on_conflict": "latest"},
    {"on_conflict": "ignore"},
    {"max_wait": 5},
    {"on_conflict": "replace", "max_wait": 0},
    {"across_owners": 1},
]


@pytest.mark.parametrize("values", WRONG, ids=lambda values: "-".join(values))
def test_wrong_value_names_unique(values):
    with pytest.raises(BadSubmission, match=r"^unique: "):
        Unique(**values)


@pytest.mark.parametrize(
    "options",
    [
        {"unique": "end"},
        {"unique": True},
        {"unique": Unique(by=("url",))},
        {"unique": Unique(until="period", period=31 * 86_400)},
        {"unique": Unique(on_conflict="replace"), "after": [Job(id=new_id(), kind="test.noop")]},
    ],
    ids=lambda value: "",
)
@pytest.mark.django_db
def test_submission_with_a_wrong_unique_is_refused(options):
    with pytest.raises(BadSubmission, match=r"^unique: "):
        submit("test.noop", {}, **options)


def key(owner: str = "alice", kind: str = "test.noop", *, about: Unique | None = None, **args: Any) -> str:
    return (about or Unique()).key_of(kind, owner, args)


def test_same_work_has_the_same_key_whatever_the_order_of_arguments():
    assert key(a=1, b={"c": 1, "d": 2}) == key(b={"d": 2, "c": 1}, a=1)
    assert key(about=Unique(by=("url",)), url="x", n=1) == key(about=Unique(by=["url"]), url="x", n=2)
    assert key(about=Unique("seven"), n=1) == key(about=Unique("seven"), n=2)
    everyone = Unique(across_owners=True)
    assert key(about=everyone, n=1) == key("bob", about=everyone, n=1)


def test_other_work_has_another_key():
    keys = [key(), key("bob"), key(""), key(kind="test.echo"), key(n=1), key(n=True), key(n="1"), key(n=None)]
    keys += [key(about=Unique("n")), key(about=Unique(by=("n",)), n=2), key(about=Unique(across_owners=True))]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) < 100, "the length of the column"


@pytest.mark.django_db(transaction=True)
def test_owner_of_the_job_gets_the_event_deduplicated_after_the_commit(events_of):
    everyone = Unique("k", across_owners=True)
    first = submit("test.echo", {}, owner="alice", request_id="r1", unique=everyone).job

    def again() -> None:
        with transaction.atomic():
            submit("test.echo", {}, owner="bob", unique=everyone)

    (event,) = events_of(again)
    assert event == {
        "type": "test:deduplicated",
        "jobId": first.id.hex,
        "requestId": "r1",
        "conflict": "return",
    }
