"""docs/architecture.md shows the floors that `.importlinter` holds."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def floors_of_the_linter(contract: str) -> list[list[str]]:
    """Return the layers of a contract, top first, each as a sorted list of rooms."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    lines = parser[f"importlinter:contract:{contract}"]["layers"].split("\n")
    return [sorted(re.findall(r"\w+", line)) for line in lines if line.strip()]


def floors_of_the_page(folder: str) -> list[list[str]]:
    """Return the floors of a picture in the page: its lines that begin with one space."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    picture = page.split(f"(`{folder}/`)\n", 1)[1].split("```")[1]
    return [sorted(re.findall(r"\w+", line)) for line in re.findall(r"(?m)^ (\S.*)$", picture)]


@pytest.mark.parametrize(("contract", "folder"), [("engine", "queueing"), ("chat", "chat")])
def test_architecture_page_shows_the_floors_of_the_linter(contract: str, folder: str):
    assert floors_of_the_page(folder) == floors_of_the_linter(contract)
