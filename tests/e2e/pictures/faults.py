"""What is wrong with the looks of a page: measured in the browser, and by axe."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: JavaScript: a function without arguments.
MEASURE = Path(__file__).with_name("faults.js").read_text()
#: Targets of at least 24 px (WCAG 2.2) are not among the rules that axe has on by itself.
_OPTIONS = {"rules": {"target-size": {"enabled": True}}}


def measured(page: Page) -> list[str]:
    """Return what sticks out, is cut, is broken inside a word or leaves no room."""
    return [f"{fault['kind']}: {fault['what']}" for fault in page.evaluate(MEASURE)]


def found_by_axe(page: Page) -> list[str]:
    """Return what axe finds, with contrast and the size of targets."""
    violations = Axe().run(page, options=_OPTIONS).response["violations"]
    return [f"axe {one['id']}: {node['html'][:120]}" for one in violations for node in one["nodes"]]
