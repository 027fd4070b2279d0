"""Takes the README's picture: `python -m tests.e2e.picture docs/page.png`.

The answers are scripted, so that the picture does not depend on a model's mood; everything else is real.
"""

import argparse
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, OPTIONS
from tests.e2e.reading import answers, choose, say
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

OTHERS = "One moment, please, while I think about that. " * 40


BEFORE = {
    "Corporate": "Help me prepare to tell my manager that the deadline isn't realistic.",
    "Emotional": "I miss someone and would like to talk about them.",
    "Culture": "I'm invited to a family dinner in Turkey. What should I bring?",
}


def look_back(page: Page, provider: Provider) -> None:
    """A conversation with each of the others, to be seen in the list; and from which waits are learned."""
    for companion, text in BEFORE.items():
        provider.script(text="Let us begin with what you know.", wait=5)
        choose(page, companion)
        say(page, text)
        expect(answers(page)).to_have_attribute("data-status", "completed")
        page.get_by_role("link", name="New conversation").first.click()


#: That list's conversations are of other days.
THEN = """
from datetime import timedelta
from django.utils.timezone import now
for companion, days in (("culture", 1), ("emotional", 3), ("corporate", 5)):
    Thread.objects.filter(companion=companion).update(updated_at=now() - timedelta(days=days))
"""


def converse(page: Page, provider: Provider, url: str) -> None:
    """A question answered; and another, while four more people ask and one can be answered at a time."""
    provider.script(text=ANSWER, wait=5)
    say(page, "I have three days in Lisbon in May. What should I not miss?")
    expect(page.locator("#usage")).to_contain_text(
        re.compile(r"\d{3} tokens")
    )  # the short ones before had less
    for name in ("Ann", "Bob", "Cid", "Dan"):
        provider.script(text=OTHERS, delay=0.2)
        somebody = page.context.browser.new_context()  # type: ignore[union-attr]
        somebody.request.post(f"{url}/api/culture", data={"message": f"{name} asks."})
    say(page, "And if the Sintra train is on strike?")
    expect(answers(page).nth(1)).to_contain_text("4th in line")


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
        look_back(page, provider)
        site.run(THEN)
        page.reload()
        choose(page, "Travel")
        converse(page, provider, site.url)
        page.mouse.move(0, 0)
        page.screenshot(path=file)
        browser.close()
    provider.stop()


if __name__ == "__main__":
    main()
