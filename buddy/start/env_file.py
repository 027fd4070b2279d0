"""Read a `.env` file as python-dotenv, Docker Compose and shells do: a comment may follow a value."""

import io
import os
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import parse_stream


class EnvFile(NamedTuple):
    """The contents of a `.env` file."""

    values: dict[str, str]
    unreadable: tuple[int, ...]
    """The numbers of the lines that are not `NAME=value`."""


def read_env_file(path: Path) -> EnvFile:
    """Return the contents of a file; nothing if it does not exist. The last of several equal names counts."""
    if not path.is_file():
        return EnvFile({}, ())
    bindings = list(parse_stream(io.StringIO(path.read_text(encoding="utf-8"))))
    values = {line.key: line.value for line in bindings if line.key and line.value is not None}
    wrong = [line for line in bindings if line.error or (line.key and line.value is None)]
    return EnvFile(values, tuple(_number(line.original.string, line.original.line) for line in wrong))


def _number(text: str, first: int) -> int:
    """Return the number of the line of a statement, which begins after the empty lines before it."""
    return first + text[: len(text) - len(text.lstrip())].count("\n")


def add_to_environment(path: Path) -> EnvFile:
    """Give the environment the values of a file, except those it has already. Return the contents."""
    found = read_env_file(path)
    for name, value in found.values.items():
        os.environ.setdefault(name, value)
    return found
