"""The pages about security name tests and files that exist, and every requirement that they compare with."""

import re

from .texts import ROOT

PAGES = ("SECURITY.md", "docs/security.md", "docs/asvs.md")
_PATH = re.compile(r"`((?:buddy|chat|queueing|templates|tests|deploy|\.ci)/[\w./-]+)`")


def test_pages_about_security_name_existing_files():
    for page in PAGES:
        named = _PATH.findall((ROOT / page).read_text())
        missing = [path for path in named if not (ROOT / path).exists()]
        assert not missing, f"{page}: {missing}"


def test_table_of_the_standard_has_each_requirement_once():
    numbers = [number for numbers, *_ in _rows() for number in numbers.split(", ")]
    assert len(numbers) == len(set(numbers)) == 253, "ASVS 5.0.0 has 253 requirements of level 1 or 2"


def test_met_requirements_say_what_shows_it():
    for numbers, _about, result, shown in _rows():
        assert result in ("met", "part", "not met", "n/a"), numbers
        assert len(shown) >= 4, f"{numbers}: say what shows it, or why"
        if result == "met":
            assert _PATH.search(shown) or "](" in shown, (
                f"{numbers}: name the test, file or page that shows it"
            )


def _rows() -> list[list[str]]:
    lines = (ROOT / "docs/asvs.md").read_text().splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if re.match(r"\| \d+\.\d+\.\d+", line)
    ]
