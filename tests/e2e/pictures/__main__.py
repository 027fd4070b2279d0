"""Take pictures of every state of the site, and report faults: `python -m tests.e2e.pictures --out DIR`.

`--only answered,staff` takes some states, `--looks 320-200-light,1280-100-dark` some looks. The report and
the pages of paper (PDF) are in the same folder.
"""

import argparse
import os
import tempfile
import traceback
from collections import defaultdict
from pathlib import Path

import django
from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import CHROMIUM, OPTIONS
from tests.e2e.pictures import chat_states, page_states
from tests.e2e.pictures.faults import found_by_axe, measured
from tests.e2e.pictures.looks import EVERY, Look, Wardrobe
from tests.e2e.pictures.stage import staged

STATES = {state.__name__: state for state in chat_states.STATES + page_states.STATES}
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
#: The longest picture, in pixels.
HIGHEST = 8000
#: axe looks at these: it takes longer than all else, and measures no more in the others.
AXE = {"320-200-light", "390-100-dark", "1280-100-light"}


class Report:
    """Faults, and the looks in which each was found."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = defaultdict(list)

    def add(self, state: str, look: object, faults: list[str]) -> None:
        for fault in faults:
            self._found[f"{state}: {fault}"].append(str(look))

    def text(self) -> str:
        lines = [f"{fault}\n    {' '.join(looks)}" for fault, looks in sorted(self._found.items())]
        return "\n".join([*lines, f"{len(lines)} faults", ""])


def take(page: Page, name: str, looks: list[Look], out: Path, report: Report) -> None:
    """Take the pictures of one state, and note its faults."""
    wardrobe = Wardrobe(page)
    is_long = page.locator(".app").count() == 0
    for look in looks:
        wardrobe.wear(look)
        if is_long:
            page.evaluate("scrollTo(0, 0)")  # what is fixed in the window is in the picture where it is now
        report.add(name, look, measured(page) + (found_by_axe(page) if str(look) in AXE else []))
        if is_long:  # a picture of the full page would have the text in its usual size
            wardrobe.wear(look, min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST))
        page.screenshot(path=out / f"{name}-{look}.png")
    page.emulate_media(color_scheme="dark", forced_colors="none")  # a reader in the dark has white paper, too
    wardrobe.wear(Look(1280, theme="dark"))
    page.pdf(path=out / f"{name}.pdf", format="A4", print_background=False)


def main() -> None:
    """Take all pictures and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(STATES))
    parser.add_argument("--looks", default=",".join(map(str, EVERY)))
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
    django.setup()
    given.out.mkdir(parents=True, exist_ok=True)
    looks = [look for look in EVERY if str(look) in given.looks.split(",")]
    report = Report()
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS + MICROPHONE)
        with staged(Path(directory), browser) as stage:
            for group in given.only.split(","):
                try:
                    for name, page in STATES[group](stage):
                        print(name, flush=True)
                        take(page, name, looks, given.out, report)
                except Exception as error:  # the other states are worth a picture, too
                    traceback.print_exc()
                    report.add(group, "", [f"did not come to its end: {str(error)[:200]}"])
                finally:
                    stage.clear()
        browser.close()
    (given.out / "report.txt").write_text(report.text())
    print(report.text())


if __name__ == "__main__":
    main()
