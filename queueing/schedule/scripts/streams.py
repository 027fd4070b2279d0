"""What active jobs store in Redis: the text that they have streamed, and other data of their runs."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from queueing.schedule.redis_client import ScriptCall

from .keys import GLOBAL_KEYS, key, stream_key


def parse_stream(value: str | None) -> tuple[int, str]:
    """Return (run, text) of the value of a `stream_key`, or (0, "") if there is none."""
    run, _, text = (value or "0").partition("\x1f")
    return int(run), text


class TextChunk(NamedTuple):
    """Text to add to what an active job has streamed. Without text before it, it replaces what is stored."""

    job_id: str
    token: str
    run: int
    text: str
    before: int
    """The number of bytes (in UTF-8) of the text before it."""


def append(chunks: Sequence[TextChunk], *, keep: float) -> ScriptCall[list[int]]:
    """Store streamed text for `keep` seconds.

    Replies with a number for each chunk: 1 stored, 0 the claim is lost, 2 the whole text must be sent again.
    """
    keys = [*(key(name) for name in GLOBAL_KEYS), *(stream_key(chunk.job_id) for chunk in chunks)]
    return ScriptCall("append", keys, [int(keep), json.dumps(chunks, ensure_ascii=False)], list)


#: A command of Redis: its name, its only key, and its arguments.
Command = tuple[str | float, ...]


class RunWrite(NamedTuple):
    """Commands that store data of a run."""

    job_id: str
    token: str
    commands: Sequence[Command]


def while_claimed(writes: Sequence[RunWrite]) -> ScriptCall[list[int]]:
    """Run the commands of each run whose claim holds. Replies with a number for each: 1 stored, 0 not.

    A claim ends before the texts of its job are deleted. So nothing is stored for an erased owner.
    """
    keys: dict[str, int] = {}
    rows = []
    for job_id, token, commands in writes:
        numbered = [
            [name, keys.setdefault(str(on), len(keys) + 1), *map(str, rest)] for name, on, *rest in commands
        ]
        rows.append([job_id, token, numbered])
    args = [json.dumps(rows, ensure_ascii=False)]
    return ScriptCall("while_claimed", [*(key(name) for name in GLOBAL_KEYS), *keys], args, list)
