"""Options: each wrong value is named; the job's is used, then the kind's, then the queue's."""

import math
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from queueing import kinds
from queueing.conf import Backoff
from queueing.errors import BadSubmission
from queueing.models import Job, JobTag
from queueing.options import YEAR
from queueing.record.run import as_run
from queueing.submit import submit, submit_completed, submit_many

NOW = timezone.now()


async def _coroutine(attempt: int, error: BaseException) -> float:
    return 1.0


#: Values that are wrong for a kind and for a job.
WRONG: list[tuple[str, Any]] = [
    *[("attempts", value) for value in (0, -1, 1.0, True, "3", 32_768, 10**5000)],
    *[("timeout", value) for value in (0, -1, math.nan, math.inf, True, "5", YEAR + 1, 10**5000, [5])],
    *[("expires", value) for value in (0, -1, math.nan, True, "5", YEAR + 1, timedelta(seconds=5))],
    *[("backoff", value) for value in (5, "fixed", [], Backoff, True, _coroutine)],
    *[("backoff", {"type": value}) for value in ("cubic", None, 5)],
    *[("backoff", {"delay": value}) for value in (-1, "5", math.nan, None, True)],
    ("backoff", {"jitter": 1.5}),
    ("backoff", {"max_delay": -1}),
    ("backoff", {"kind": "fixed"}),
    ("backoff", {1: 2}),
    *[("tags", value) for value in ("one", 5, {"one": 1}, [1], [None], ["ab"], ["a b"], ["-abc"], ["abc-"])],
    *[("tags", [value]) for value in ("", "a" * 256, "größe", "a\x00b", "abc\n", "a:b", b"abc")],
    ("tags", [f"tag-{n}" for n in range(11)]),
]


def _register(**options: Any) -> None:
    kinds.job("options.never", queue="test", **options)(lambda ctx: None)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_option_is_named_and_nothing_is_stored(name, value):
    for submission in (partial(submit, "test.noop", {}), partial(submit_many, "test.noop", [{}])):
        with pytest.raises(BadSubmission, match=f"^{name}: ") as caught:
            submission(**{name: value})
        assert caught.value.field == name
    with pytest.raises(ValueError, match=f"^job kind 'options.never': {name}: "):
        _register(**{name: value})
    assert not Job.objects.exists()
    assert kinds.find_kind("options.never") is None


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (partial(submit, "test.noop", {}), {"backoff": lambda attempt, error: 1}),
        (partial(submit, "test.noop", {}), {"expires": NOW.replace(tzinfo=None)}),
        (partial(submit, "test.noop", {}), {"expires": NOW + timedelta(days=400)}),
        (partial(submit, "test.noop", {}), {"expires": datetime.max.replace(tzinfo=UTC)}),
        (partial(submit, "test.noop", {}, delay=60), {"expires": NOW + timedelta(seconds=30)}),
        (partial(submit, "options.kind", {}), {"tags": [f"tag-{n}" for n in range(9)]}),
        (_register, {"expires": NOW}),
    ],
    ids=lambda value: "",
)
def test_option_that_only_the_other_may_have_is_named(call, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        call(**option)


def test_unknown_option_is_a_type_error_as_of_any_function():
    for call in (partial(submit, "test.noop", {}), partial(submit_many, "test.noop", [{}]), _register):
        with pytest.raises(TypeError, match="'max_attempts'"):
            call(max_attempts=3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
def test_option_of_the_job_wins_over_its_kinds_and_its_queues():
    plain, of_kind = submit("test.noop", {}).job, submit("options.kind", {}).job
    backoff = {"type": "fixed", "delay": 7}
    own = submit("options.kind", {}, attempts=2, timeout=9, backoff=backoff, expires=60).job
    assert [job.max_attempts for job in (plain, of_kind, own)] == [3, 5, 2]
    assert [as_run(job).timeout for job in (plain, of_kind, own)] == [300, 0.5, 9]
    assert [job.options for job in (plain, of_kind)] == [None, None]
    assert own.options["backoff"]["delay"] == 7
    assert plain.expires_at is None
    assert of_kind.expires_at == of_kind.created_at + timedelta(seconds=3600)
    assert own.expires_at == own.created_at + timedelta(seconds=60)
    own.refresh_from_db()
    assert as_run(own).timeout == 9


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
def test_seconds_of_expires_begin_when_the_delay_ends_and_a_past_time_is_now():
    delayed = submit("test.noop", {}, delay=100, expires=10).job
    assert delayed.expires_at == delayed.run_at + timedelta(seconds=10)
    until = NOW + timedelta(seconds=200)
    assert submit("test.noop", {}, delay=100, expires=until).job.expires_at == until
    past = submit("test.noop", {}, expires=datetime.min.replace(tzinfo=UTC)).job
    assert past.expires_at <= past.created_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
def test_tags_of_the_kind_and_of_the_job_are_merged_and_pruned_with_it():
    job = submit("options.kind", {}, tags=("own", "shared"), request_id="r1", owner="alice").job
    submit("options.kind", {}, tags=["other"], request_id="r1", owner="alice")
    assert sorted(job.tags.values_list("tag", flat=True)) == ["of-kind", "own", "shared"]
    assert list(Job.objects.filter(tags__tag="own")) == [job]
    many = submit_many("options.kind", [{}, {}], tags=["bulk"], attempts=7, timeout=3)
    assert {(job.max_attempts, job.options["timeout"]) for job in many} == {(7, 3)}
    assert JobTag.objects.filter(tag="bulk").count() == 2
    known = submit_completed("options.kind", {}, {"a": 1}).job
    assert (known.tags.count(), known.expires_at) == (2, None)
    Job.objects.all().delete()
    assert not JobTag.objects.exists()
