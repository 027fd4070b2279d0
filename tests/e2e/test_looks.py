"""Whole words and nothing that sticks out, at any width and size of the text (P16).

`make pictures` looks at every state in every look. These are the states that differ most.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.pictures.chat_states import ANSWER, COMPANIONS, QUESTION
from tests.e2e.pictures.faults import found_by_axe, measured
from tests.e2e.pictures.looks import Look, Wardrobe
from tests.e2e.reading import answers, choose, say
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LOOKS = [Look(320, 200), Look(320), Look(390, 150), Look(1280, 400), Look(1280, 150, "dark")]


def faults(page: Page) -> Iterator[str]:
    """Yield what is wrong with the page, in all of the looks."""
    wardrobe = Wardrobe(page)
    for look in LOOKS:
        wardrobe.wear(look)
        yield from (f"{look}: {fault}" for fault in measured(page))
    yield from found_by_axe(page)


@pytest.fixture
def watched(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """The empty page."""
    page = visitor().new_page()
    page.goto(site.url)
    return page


def test_chat_has_whole_words_at_any_size(watched: Page, provider: Provider) -> None:
    for companion in COMPANIONS:
        choose(watched, companion)
        assert list(faults(watched)) == []
    provider.script(text=ANSWER)
    say(watched, QUESTION + " " + "x" * 120)
    expect(answers(watched)).to_have_attribute("data-status", "completed")
    assert list(faults(watched)) == []


def test_open_drawer_has_room_for_its_list_and_gives_way_in_a_wide_window(
    watched: Page, provider: Provider
) -> None:
    """P16: also titles show whole words, in the list and above the conversation."""
    say(watched, "Nationalbibliothek in Lisbon, please")
    expect(answers(watched)).to_have_attribute("data-status", "completed")
    wardrobe = Wardrobe(watched)
    wardrobe.wear(Look(320, 200))
    assert measured(watched) == []
    watched.get_by_role("button", name="Conversations", exact=True).click()
    assert measured(watched) == []
    wardrobe.wear(Look(1280))
    watched.get_by_label("Your message", exact=True).click()
    assert found_by_axe(watched) == []


def test_other_pages_have_whole_words_at_any_size(watched: Page, site: Site) -> None:
    for path in ("/account/", "/account/sign-up/", "/account/erase/", "/care", "/nowhere"):
        watched.goto(site.url + path)
        assert list(faults(watched)) == [], path


def test_help_lines_have_whole_words_at_any_size(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    """P16: long German names, numbers to call, and the list of countries."""
    page = visitor(locale="de-DE").new_page()
    page.goto(f"{site.url}/care")
    assert list(faults(page)) == []
    page.goto(site.url)
    say(page, "I don't want to live any more")
    expect(page.locator(".care")).to_be_visible()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    assert list(faults(page)) == []
