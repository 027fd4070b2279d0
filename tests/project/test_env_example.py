"""`.env.example` names every variable that the settings read, and every queue."""

import ast
import re
from pathlib import Path

from queueing.conf import ENVIRONMENT_OVERRIDES, get_conf

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()


def variables_in_settings() -> set[str]:
    """Return the names of all variables that buddy/settings reads with `env.…("NAME")`."""
    modules = sorted((ROOT / "buddy" / "settings").glob("*.py"))
    calls = [node for path in modules for node in ast.walk(ast.parse(path.read_text()))]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).startswith("env.")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_env_example_lists_every_variable_that_settings_read():
    names = variables_in_settings()
    assert "DATABASE_URL" in names
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", EXAMPLE)) == []


def test_env_example_lists_every_queue():
    [line] = [line for line in EXAMPLE.splitlines() if line.startswith("# <NAME> is ")]
    named = set(re.findall(r"[A-Z_]{4,}", line)) - {"NAME"}
    assert named == {
        name.upper().replace("-", "_") for name in get_conf().queues if not name.startswith("test")
    }


def test_env_example_lists_every_queue_field():
    text = EXAMPLE[EXAMPLE.index("# <FIELD> is ") :]
    assert [name for name in ENVIRONMENT_OVERRIDES if not re.search(rf"\b{name.upper()}\b", text)] == []
