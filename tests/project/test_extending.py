"""docs/extending.md, followed to the letter in a copy of the project (O21)."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.cluster import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text()
STEP = re.compile(r"<!-- (new file|in) ?:? ?(.+?) -->\n *```\w+\n(.*?)```", re.DOTALL)


def follow(section: str, copy: Path, *, without: str = "") -> None:
    """Do all steps of a section of the page, except the one for the file `without`."""
    text = PAGE.split(f"## {section}")[1].split("\n## ")[0]
    steps = STEP.findall(text)
    assert steps, section
    for what, where, block in steps:
        block = textwrap.dedent(block).rstrip("\n")
        if what == "new file":
            (copy / where).write_text(block + "\n")
            continue
        name, verb, mark = re.fullmatch(r"(\S+), (before|instead of): (.+)", where).groups()
        if name == without:
            continue
        before = (copy / name).read_text()
        assert before.count(mark) == 1, (name, mark)
        (copy / name).write_text(before.replace(mark, f"{block}\n{mark}" if verb == "before" else block))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files of the project."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=ROOT)
    for name in listed.decode().split("\0"):
        if name.startswith(("buddy/", "chat/", "queueing/", "templates/", "manage.py")):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return tmp_path


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` of the copy."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    kept |= {"SECRET_KEY": "x" * 50, "OPENAI_API_KEY": "sk-x"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=copy, env=kept, capture_output=True, text=True
    )


def test_fifth_companion_is_complete_when_all_steps_are_done(copy: Path):
    follow("A fifth companion", copy)
    checked = run(copy, "check")
    assert checked.returncode == 0, checked.stderr
    assert "chat.E016" not in checked.stderr
    code = "from chat.http.api import api; import json; "
    code += "print(json.dumps(sorted(p for p in api.get_openapi_schema()['paths'] if 'study' in p)))"
    told = run(copy, "shell", "-v", "0", "-c", code)
    assert json.loads(told.stdout.splitlines()[-1]) == ["/api/study"], told.stderr


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        ("chat/static/chat/sprite.svg", "its picture"),
        ("chat/static/chat/css/variables.css", "its colours"),
    ],
)
def test_companion_that_lacks_a_part_is_named(copy: Path, file: str, missing: str):
    """It lacked its icon and colour without a word."""
    follow("A fifth companion", copy, without=file)
    checked = run(copy, "check")
    assert checked.returncode == 1
    assert f"The companion study lacks {missing}" in checked.stderr


def test_kind_with_a_queue_is_known(copy: Path):
    follow("A kind of job with a queue of its own", copy)
    code = "from queueing.api import get_kind; kind = get_kind('care.report'); print(kind.queue)"
    told = run(copy, "shell", "-v", "0", "-c", code)
    assert told.stdout.splitlines()[-1] == "reports", told.stderr
    assert run(copy, "check").returncode == 0


def test_commands_do_not_warn_of_the_settings_of_django_q(copy: Path):
    """Each command warned of `timeout` and `retry`."""
    told = run(copy, "check")
    assert "retry" not in told.stderr + told.stdout
    assert "timeout" not in told.stderr + told.stdout
