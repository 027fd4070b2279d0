"""Held messages and stored answers on the page."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, choose, questions, say, text_of
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider


@pytest.fixture(scope="module")
def limited_site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """Yield a site with two messages per 20 s, a maximum wait of 20 s, and the answer cache."""
    with running(
        tmp_path_factory.mktemp("strict"),
        **scripted.publishes,
        LIMIT_ANONYMOUS="2 per 20 seconds",
        LIMIT_MAX_WAIT="20",
        ANSWER_CACHE_SECONDS="600",
    ) as site:
        yield site


@pytest.fixture
def tabs(limited_site: Site, visitor: Callable[..., BrowserContext]) -> Callable[[], Page]:
    """Return a function that opens another tab of the same visitor."""
    context = visitor()

    def open_tab() -> Page:
        page = context.new_page()
        page.goto(limited_site.url)
        return page

    return open_tab


def test_held_message_shows_its_wait_and_can_be_cancelled(
    tabs: Callable[[], Page], provider: Provider
) -> None:
    first, second, third = tabs(), tabs(), tabs()
    for number in (1, 2):
        say(first, f"Question {number}, please.")
        expect(answers(first).nth(number - 1)).to_have_attribute("data-status", "completed")

    say(first, "And a third.")
    held = answers(first).nth(2)
    expect(held).to_contain_text("You have sent many messages")
    seconds = re.compile(r"Will be sent in (\d+) s")
    wait = int(seconds.search(held.inner_text()).group(1))  # type: ignore[union-attr]
    assert 1 <= wait <= 20
    expect(held).to_contain_text(f"Will be sent in {wait - 2} s")

    say(second, "And a fourth, elsewhere.")
    other = answers(second)
    expect(other).to_contain_text("(2 of 2 waiting)")
    expect(held).to_contain_text("(1 of 2 waiting)")

    say(third, "And one too many.")
    expect(questions(third)).to_contain_text("You have sent many messages. You can send this one again in")

    held.get_by_role("button", name="Cancel").click()
    expect(other).not_to_contain_text("waiting")
    expect(other).to_contain_text(seconds)
    expect(other).to_have_attribute("data-status", "completed")
    expect(held).to_have_attribute("data-status", "cancelled")


def test_stored_answer_is_marked_and_can_be_regenerated(tabs: Callable[[], Page], provider: Provider) -> None:
    question = "How do I greet people in a small shop in Lisbon?"
    provider.script(text="Say bom dia.", match=question)
    before, page = tabs(), tabs()
    choose(before, "Culture")
    say(before, question)
    expect(answers(before)).to_have_attribute("data-status", "completed")
    expect(before.get_by_text("Saved answer")).to_be_hidden()

    choose(page, "Culture")
    say(page, question)
    answer = answers(page)
    expect(text_of(answer)).to_have_text("Say bom dia.")
    expect(page.get_by_text("Saved answer")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Saved answer")).to_be_visible()

    provider.script(text="A nod will do.", match=question)
    answer.get_by_role("button", name="Regenerate").click()
    expect(text_of(answer)).to_have_text("A nod will do.", timeout=60_000)
    expect(page.get_by_text("Saved answer")).to_be_hidden()
