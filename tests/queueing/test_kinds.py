"""The registry of kinds of job."""

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
    block = kinds.__doc__.partition("\n\n")[2].partition("\n\nCoroutine")[0]
    names = {"job": kinds.job, "JobContext": JobContext, "save_reply": print}
    exec(textwrap.dedent(block), names)
    kind = kinds.get_kind("chat.reply")
    assert (kind.queue, kind.topic, kind.on_end, kind.is_async) == ("openai-chat", "chat", print, True)
    assert await kind.handler(context(), reply_id="1") == {"response": "Hello!"}


def test_unknown_kind_names_those_that_are_registered():
    with pytest.raises(UnknownKind, match=r"test\.noop"):
        kinds.get_kind("test.nothing")
