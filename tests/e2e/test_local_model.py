"""The whole path with a real model: four conversations, found again."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, choose, say, text_of
from tests.e2e.site import Site

QUESTIONS = {
    "Corporate": "I am tired of meetings.",
    "Travel": "Where should I go in spring?",
    "Emotional": "I feel a little lonely today.",
    "Culture": "How do people greet in Japan?",
}


def test_local_model_answers_as_all_four_companions(
    local_site: Site, visitor: Callable[..., BrowserContext]
) -> None:
    page = visitor().new_page()
    page.goto(local_site.url)
    expect(page.locator("body")).to_contain_text("demo model on this computer, often wrong")
    assert page.locator("body").inner_text().lower().count("demo") == 1, "O8: said once"

    said = {name: _ask(page, name, question) for name, question in QUESTIONS.items()}

    assert sum(map(len, said.values())) > 80

    page.reload()
    for name, question in QUESTIONS.items():
        page.get_by_role("link", name=question).click()
        expect(answers(page)).to_have_count(1)
        expect(page.locator("#header-name")).to_have_text(name)
        expect(text_of(answers(page))).to_have_text(said[name], use_inner_text=True)


def _ask(page: Page, name: str, question: str) -> str:
    page.get_by_role("link", name="New conversation").first.click()
    choose(page, name)
    say(page, question)
    answer = answers(page)
    expect(answer).to_have_attribute("data-status", "completed", timeout=120_000)
    expect(page).to_have_url(re.compile(r"/t/[0-9a-f]{32}$"))
    text = text_of(answer).inner_text()
    assert len(text.strip()) > 3, "a small model may answer with pictures alone"
    return text
