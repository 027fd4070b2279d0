"""The microphone in the page: blocked, missing, and in reach at any size."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pictures.faults import measured
from tests.e2e.pictures.looks import Look, Wardrobe
from tests.e2e.reading import answers, say, serious, spoken
from tests.e2e.recording import card, record


def test_blocked_microphone_shows_message(microphone) -> None:
    page = microphone(allowed=False)
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("The microphone is blocked for this page")
    expect(spoken(page)).to_contain_text("The microphone is blocked for this page")
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Try again").click()
    expect(card(page)).to_contain_text("Recording")


def test_missing_microphone_shows_message(page: Page) -> None:
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("No microphone was found")
    page.get_by_role("button", name="Close").click()
    expect(card(page)).to_be_hidden()


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
def test_recorder_has_no_serious_axe_violations(microphone, width: int, theme: str) -> None:
    page = microphone(viewport={"width": width, "height": 800}, color_scheme=theme)
    record(page)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("look", "height"), [(Look(320, 200), 0), (Look(320), 256)], ids=["large-text", "400-per-cent-on-a-desk"]
)
def test_recorder_in_a_low_window_leaves_room_and_is_in_reach(microphone, look: Look, height: int) -> None:
    """P16: the conversation keeps its part of the window, and each button can be pressed."""
    page = microphone(viewport={"width": 390, "height": 844})
    say(page, "Where to?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    record(page)
    Wardrobe(page).wear(look, height)
    assert measured(page) == []
    expect(answers(page)).to_be_in_viewport()
    for name in ("Stop and edit", "Stop and send", "Delete"):
        card(page).get_by_role("button", name=name).click(trial=True)
