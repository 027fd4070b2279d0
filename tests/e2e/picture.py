"""Takes the README's picture: `python -m tests.e2e.picture docs/page.png`.

The answers are scripted, so that the picture does not depend on a model's mood; everything else is real.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, OPTIONS
from tests.e2e.reading import answers, say
from tests.e2e.site import running
from tests.provider.fixture import Provider

ANSWER = """\
Three days suit Lisbon well if you stay in two neighbourhoods a day and leave the afternoons loose.

| day | morning | afternoon |
|---|---|---|
| 1 | Alfama on foot, up to the castle walls | Feira da Ladra, if it is a Tuesday or Saturday |
| 2 | Belém: the monastery before ten | the riverside back towards Cais do Sodré |
| 3 | the early train to Sintra | slow: Chiado, a viewpoint, a late dinner |

**Plan B for rain:** swap day 1 with the tile museum. I cannot see opening hours or prices, so check \
those on the day."""

STRIKE = """\
Then turn the day round: take the tram along the river to Cascais, which another company runs, walk the \
coast path to Guincho, and leave Sintra for"""


def converse(page: Page, provider: Provider) -> None:
    """A question answered, and two more: one being answered, one that waits for its turn."""
    provider.script(text=ANSWER)
    say(page, "I have three days in Lisbon in May. What should I not miss?")
    expect(answers(page).first).to_have_attribute("data-status", "completed")
    provider.script(text=STRIKE + " " + "…" * 200, delay=0.1)
    say(page, "And if the Sintra train is on strike?")
    expect(answers(page).nth(1)).to_contain_text("Cascais")
    say(page, "How do I greet people in a small shop?")
    expect(answers(page).nth(2)).to_contain_text("Waiting for its turn")


def main() -> None:
    """Write the picture to the named file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    provider = Provider()
    provider.start()
    model = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "sk-picture", "OPENAI_MODEL": "scripted"}
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory), QUEUE_OPENAI_CHAT_CONCURRENCY="1", **model) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(site.url)
        page.get_by_role("radio", name="Travel").check(force=True)
        converse(page, provider)
        page.mouse.move(0, 0)
        page.screenshot(path=file)
        browser.close()
    provider.stop()


if __name__ == "__main__":
    main()
