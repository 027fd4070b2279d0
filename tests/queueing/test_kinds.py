"""The registry of kinds of job."""

import functools
import textwrap

import pytest

from queueing import kinds
from queueing.context import JobContext
from queueing.errors import UnknownKind


def context(**fields):
    """A context that emits nothing."""
    common = {"job_id": "0" * 32, "kind": "k", "owner": "", "request_id": "", "attempt": 1, "max_attempts": 1}
    return JobContext(**(common | fields), emit=lambda name, fields: None, pace=lambda: None)


async def test_example_in_the_docstring_registers_a_handler_that_runs(monkeypatch):
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(kinds, "_families", {})
    block = kinds.__doc__.partition("\n\n")[2].partition("\n\nCoroutine")[0]
    names = {"job": kinds.job, "JobContext": JobContext, "save_reply": print}
    exec(textwrap.dedent(block), names)
    kind = kinds.get_kind("chat.reply")
    assert (kind.queue, kind.topic, kind.on_end, kind.is_async) == ("openai-chat", "chat", print, True)
    assert await kind.handler(context(), reply_id="1") == {"response": "Hello!"}


def test_unknown_kind_names_those_that_are_registered():
    with pytest.raises(UnknownKind, match=r"test\.noop"):
        kinds.get_kind("test.nothing")


async def other(ctx, *, name):
    """A handler."""


@pytest.fixture
def registry(monkeypatch):
    """An empty registry, while the test runs."""
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(kinds, "_families", {})


def test_job_second_handler_of_a_name_is_refused(registry):
    """E20: the second handler does not silently replace the first, also within one module."""
    kinds.job("a", queue="test")(context)
    with pytest.raises(ValueError, match=r"'a' has two handlers: .*\.context and .*\.other"):
        kinds.job("a", queue="test")(other)
    with pytest.raises(ValueError, match="'a' has two handlers"):
        kinds.job("b", queue="test", aliases=("a",))(other)
    assert [kind.name for kind in kinds.all_kinds()] == ["a"]
    assert kinds.get_kind("a").handler is context


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\x00"},
        {"name": None},
        {"aliases": ("",)},
        {"topic": ""},
        {"topic": "a:b"},
        {"topic": None},
        {"version": 0},
        {"version": "2"},
        {"version": 40_000},
        {"on_end": other},
    ],
)
def test_job_with_a_wrong_value_is_refused_at_import(registry, options):
    with pytest.raises(ValueError, match="job kind"):
        kinds.job(**({"name": "a", "queue": "test"} | options))(context)
    assert kinds.all_kinds() == []


def test_alias_finds_the_kind_and_is_not_listed(registry):
    kinds.job("new.name", queue="test", topic="test", version=3, aliases=("old.name",))(other)
    assert kinds.get_kind("old.name") is kinds.get_kind("new.name")
    assert [kind.name for kind in kinds.all_kinds()] == ["new.name"]
    assert (kinds.topic_of("old.name"), kinds.topic_of("unknown")) == ("test", "job")


def wrapper(*args, **kwargs):
    """Take any arguments, as decorators do."""


@pytest.mark.parametrize(
    ("handler", "names", "refusal"),
    [
        (other, ("name",), ""),
        (other, (), "missing a required argument: 'name'"),
        (other, ("name", "more"), "got an unexpected keyword argument 'more'"),
        (other, ("ctx", "name"), "multiple values for argument 'ctx'"),
        (functools.wraps(other)(wrapper), ("more",), ""),
        (functools.partial(other, name="x"), (), ""),
        (print, ("x",), "got an unexpected keyword argument 'x'"),
        (dict, ("x",), ""),
    ],
)
def test_refusal_says_whether_the_handler_takes_the_arguments(registry, handler, names, refusal):
    kinds.job("a", queue="test")(handler)
    assert kinds.get_kind("a").refusal(names) == refusal
