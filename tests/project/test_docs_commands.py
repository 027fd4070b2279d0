"""Each command in the docs is run by a test, or is marked as not run, with the reason.

Commands are in blocks of the language `sh`. Those without a mark are run here, in this process, one by one.
A mark is a comment on the line before the block: `<!-- not run: reason -->`, or `<!-- run by: a file -->`.
"""

import io
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command, get_commands, load_command_class

from tests.project import texts

FENCE = re.compile(
    r"(?m)^(?P<indent> *)(?:<!-- (?P<mark>.+?) -->\n(?P=indent))?"
    r"```(?P<language>\w*)\n(?P<text>(?:.*\n)*?)(?P=indent)```$"
)
PROGRAM = re.compile(
    r"(?m)^\s*(?:\.venv/bin/|manage\.py |make |curl |docker |kubectl |systemctl |psql |pg_|redis-cli|apt)"
)
MANAGE = [".venv/bin/python", "manage.py"]


class Block(NamedTuple):
    """A block between fences."""

    path: Path
    mark: str
    language: str
    text: str


def blocks() -> list[Block]:
    """Return all blocks of all documents."""
    return [
        Block(path, found["mark"] or "", found["language"], found["text"])
        for path in texts.named(".md")
        for found in FENCE.finditer(texts.read(path))
    ]


def lines(block: Block) -> list[list[str]]:
    """Return the commands of a block as words, without comments."""
    joined = block.text.replace("\\\n", " ").splitlines()
    return [words for line in joined if (words := shlex.split(line, comments=True))]


def test_blocks_with_commands_are_of_the_language_sh():
    unnamed = [block for block in blocks() if not block.language and PROGRAM.search(block.text)]
    assert [f"{block.path}: {block.text.splitlines()[0]}" for block in unnamed] == []


def test_marks_have_a_reason_or_a_file_that_exists():
    for block in blocks():
        if block.language != "sh" or not block.mark:
            continue
        kind, _, what = block.mark.partition(": ")
        assert kind in ("not run", "run by"), f"{block.path}: {block.mark}"
        assert what.strip()
        assert kind == "not run" or (texts.ROOT / what.split()[0]).exists(), f"{block.path}: {block.mark}"


UNMARKED = sorted(
    {
        (str(block.path), shlex.join(words))
        for block in blocks()
        if block.language == "sh" and not block.mark
        for words in lines(block)
    }
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("page", "command"), UNMARKED)
def test_command_of_the_docs_works(page, command, provider, valkey, smtp, settings, tmp_path, monkeypatch):
    words = shlex.split(command)
    settings.STATIC_ROOT, settings.STATICFILES_DIRS = tmp_path / "static", []
    if words[:2] == MANAGE:
        with (
            redirect_stdout(io.StringIO()) as printed,
            suppress(SystemExit),
        ):  # the code may say how the site is
            call_command(*words[2:])
        assert printed.getvalue() or words[2] == "migrate"
    else:
        assert words[:2] == [".venv/bin/python", "-c"], f"{page}: mark the block of: {command}"
        (tmp_path / "var").mkdir()
        sqlite3.connect(tmp_path / "var" / "db.sqlite3").execute("CREATE TABLE x (y)")
        subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)


def test_options_of_commands_in_texts_exist():
    """Also those in the middle of sentences, and in blocks that are not run."""
    missing = []
    for path in texts.named(".md"):
        for name, rest in re.findall(r"manage\.py ([a-z_]+)((?: [^`\n|]*)?)", texts.read(path)):
            app = get_commands().get(name)
            if not (isinstance(app, str) and app.startswith(("queueing", "chat", "buddy"))):
                continue
            parser = load_command_class(app, name).create_parser("manage.py", name)
            missing += [
                f"{path}: {name} {option}"
                for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)
                if option not in parser._option_string_actions
            ]
    assert missing == []


def test_targets_of_make_in_texts_exist():
    known = set(re.findall(r"(?m)^([a-z0-9-]+):", texts.read(Path("Makefile"))))
    places = [(block.path, block.text) for block in blocks() if block.language == "sh"]
    places += [
        (path, code)
        for path in texts.named(".md")
        if path.name != "CHANGELOG.md"  # it names former ones
        for code in re.findall(r"`(make [a-z][^`\n]*)`", texts.read(path))
    ]
    missing = [
        f"{path}: make {target}"
        for path, text in places
        for target in re.findall(r"(?m)^make ([a-z0-9-]+)", text)
        if target not in known
    ]
    assert missing == []
