"""docs/queueing-api.md describes every public name of the engine, with its parameters."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "queueing-api.md").read_text()
ENTRY = re.compile(r"^#### `(\w+)(?:\((.*)\))?`$", re.MULTILINE)
#: Parameters that the page leaves out on purpose.
ELLIPSIS = "…"


def sections() -> dict[str, dict[str, str | None]]:
    """Return module -> name -> parameters in the page, or None where it shows none."""
    parts = re.split(r"(?m)^## `(queueing\.api[.\w]*)`$", PAGE)[1:]
    return {module: dict(ENTRY.findall(text)) for module, text in zip(parts[::2], parts[1::2], strict=True)}


SECTIONS = sections()


def functions() -> list[tuple[str, str]]:
    """Return (module, name) of every function and dataclass whose parameters the page shows in full."""
    return [
        (module, name)
        for module, entries in SECTIONS.items()
        for name, shown in entries.items()
        if shown and ELLIPSIS not in shown
    ]


def parameters(name: str, public: object) -> list[str]:
    """Return the parameter names of a function or class."""
    return [parameter.name for parameter in inspect.signature(public).parameters.values()]


def test_reference_covers_every_submodule_of_the_api():
    files = Path(importlib.import_module("queueing.api").__file__).parent.glob("*.py")
    modules = {f"queueing.api.{path.stem}".removesuffix(".__init__") for path in files}
    assert set(SECTIONS) == modules


@pytest.mark.parametrize("module", SECTIONS)
def test_reference_lists_exactly_the_public_names(module: str):
    assert sorted(SECTIONS[module]) == sorted(importlib.import_module(module).__all__)


@pytest.mark.parametrize(("module", "name"), functions())
def test_reference_shows_the_parameters_of_the_code(module: str, name: str):
    shown = SECTIONS[module][name] or ""
    names = [part.strip().lstrip("*") for part in shown.split(",") if part.strip() != "*"]
    assert names == parameters(name, getattr(importlib.import_module(module), name))
