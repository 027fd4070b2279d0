"""Which queues a cluster serves (`qcluster --queues`, a concurrency of 0)."""

import pytest
from django.core.management import CommandError, call_command

from queueing.conf import get_conf
from queueing.errors import BadValue
from queueing.worker.served_queues import served_queues

ALL = (
    "test", "test-narrow", "test-provider", "test-provider-too", "test-impatient", "test-limited", "default",
    "django-q",
)  # fmt: skip


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), ALL),
        (["test"], (), ("test",)),
        (["test-provider*", "test"], (), ("test", "test-provider", "test-provider-too")),
        ((), ["test*"], ("default", "django-q")),
        (["test-*"], ["*-limited", "test-provider"], ("test-narrow", "test-provider-too", "test-impatient")),
        (["test-narro?"], (), ("test-narrow",)),
    ],
)
def test_patterns_choose_the_queues_of_a_cluster(include, exclude, expected):
    assert served_queues(include, exclude) == expected


@pytest.mark.parametrize(
    ("include", "exclude", "field", "message"),
    [
        (["audio"], (), "queues", "'audio' matches no queue; the queues are test, test-narrow"),
        ((), ["tset*"], "exclude", "'tset*' matches no queue"),
        (["Test"], (), "queues", "'Test' matches no queue"),
        (["test"], ["*"], "queues", "no queue is left"),
    ],
)
def test_pattern_that_matches_no_queue_is_refused_with_the_names(include, exclude, field, message):
    with pytest.raises(BadValue) as refused:
        served_queues(include, exclude)
    assert refused.value.field == field
    assert message in refused.value.message


def test_queue_with_a_concurrency_of_0_is_not_served(monkeypatch):
    monkeypatch.setenv("QUEUE_TEST_NARROW_CONCURRENCY", "0")
    get_conf.cache_clear()
    try:
        assert "test-narrow" not in served_queues()
        assert served_queues(["test*"])[:2] == ("test", "test-provider")
        with pytest.raises(BadValue, match="concurrency of 0"):
            served_queues(["test-narrow"])
    finally:
        monkeypatch.undo()
        get_conf.cache_clear()


def test_command_with_an_unknown_queue_ends_with_the_names():
    with pytest.raises(CommandError, match="--queues: 'audio' matches no queue; the queues are test, "):
        call_command("qcluster", "--queues", "audio")
