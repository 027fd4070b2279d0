"""Tokens, costs, titles and budgets on the page."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, choose, questions, say
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider

BILL = re.compile(r"scripted · [\d,]+ tokens · \$0\.00\d+$")


@pytest.fixture(scope="module")
def priced_site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """Yield a site with prices, titles and a budget for one or two short conversations."""
    with running(
        tmp_path_factory.mktemp("priced"),
        **scripted.publishes,
        OPENAI_PRICES='{"scripted": {"input": 2, "output": 80}}',
        BUDGET_TOKENS_PER_DAY="2900",
        THREAD_TITLES="1",
    ) as site:
        yield site


@pytest.fixture
def page(priced_site: Site, visitor: Callable[..., BrowserContext], scripted: Provider) -> Page:
    scripted.reset()
    scripted.script(match="The title:", text="Three slow days in Lisbon", times=0)
    page = visitor().new_page()
    page.goto(priced_site.url)
    return page


def test_page_shows_cost_usage_title_and_spent_budget(page: Page, scripted: Provider):
    scripted.script(match="Lisbon?", text="Walk through Alfama in the morning, " * 5, end="length")
    choose(page, "Travel")
    say(page, "Three days in Lisbon?")
    answer = answers(page).first
    expect(answer).to_have_attribute("data-status", "completed")
    bill = answer.locator(".message__bill")
    expect(bill).to_have_text(BILL)
    expect(answer).to_contain_text("The answer reached its length limit")
    expect(page.locator("#usage")).to_have_text(re.compile(r"[\d,]+ of 2,900 tokens · \$0\.0\d+ today"))
    expect(page.get_by_role("heading", name="Three slow days in Lisbon")).to_be_visible()
    expect(page.locator("#threads")).to_contain_text("Three slow days in Lisbon")
    expect(page).to_have_title(re.compile("Three slow days in Lisbon"))

    shown = bill.text_content()
    page.reload()
    expect(answers(page).first.locator(".message__bill")).to_have_text(shown)
    expect(answers(page).first).to_contain_text("The answer reached its length limit")

    say(page, "And what about " + "the food, " * 200 + "please?")
    refused = questions(page).last
    expect(refused).to_contain_text("budget")
    expect(refused.get_by_role("button", name="Send again")).to_be_visible()
