"""docs/settings.md has exactly the settings of the code, with their defaults and what they accept (O12)."""

import re
from pathlib import Path
from typing import Any

from buddy.settings.environment import BASE_DIR, env
from queueing.conf import ENVIRONMENT_OVERRIDES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()
SETTINGS, FIELDS = PAGE.split("### Fields of a queue")
ROW = re.compile(r"(?m)^\| `([\w<>]+)` \| (.*?) \| (.*?) \| .+ \|$")
COMPANIONS = ("CORPORATE", "TRAVEL", "EMOTIONAL", "CULTURE")
#: Variables that the scripts of `make run` read, and no setting does.
OF_MAKE_RUN = {"HOST", "PORT", "LOCAL_MODEL_PATH"}


def rows() -> dict[str, tuple[str, str]]:
    """Return name -> (default, accepted values) of the page, with the names of all companions."""
    return {
        name.replace("<COMPANION>", companion): (default, accepts)
        for name, default, accepts in ROW.findall(SETTINGS)
        for companion in (COMPANIONS if "<COMPANION>" in name else ("",))
    }


def text_of(default: Any) -> str:
    """Return a default as the page writes it; empty where the page describes it in words."""
    if isinstance(default, list):
        return ",".join(default)
    if isinstance(default, bool):
        return str(int(default))
    return f"{default:.10g}" if isinstance(default, float) else str(default).replace(str(BASE_DIR), "")


def test_settings_page_has_exactly_the_variables_of_the_code():
    assert sorted(rows()) == sorted({*env.variables, *OF_MAKE_RUN})


def test_settings_page_has_each_name_once():
    names = [name for name, _, _ in ROW.findall(SETTINGS)]
    assert [name for name in names if names.count(name) > 1] == []


def test_settings_page_has_the_defaults_of_the_code():
    """A default in words is worked out from other settings, or is no value at all."""
    different = {
        name: (default, text_of(env.variables[name].default))
        for name, (default, _) in rows().items()
        if name not in OF_MAKE_RUN
        and (text := re.fullmatch(r"`(.*)`", default))
        and "`" not in text[1]
        and text[1] != text_of(env.variables[name].default)
        and name != "STATIC_ROOT"
    }
    assert different == {}


def test_settings_page_has_what_the_code_accepts():
    different = {
        name: (accepts, env.variables[name].accepts)
        for name, (_, accepts) in rows().items()
        if name not in OF_MAKE_RUN and env.variables[name].accepts not in ("", accepts)
    }
    assert different == {}


def test_settings_page_has_every_field_of_a_queue():
    assert sorted(re.findall(r"(?m)^\| `([A-Z_]+)` \|", FIELDS)) == sorted(
        name.upper() for name in ENVIRONMENT_OVERRIDES
    )
