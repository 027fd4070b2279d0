"""Scrolling belongs to the reader (P6): any movement up stays, and the end is followed once it is reached."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.reading import answers, questions, say
from tests.e2e.site import Site
from tests.e2e.test_long_conversation import message, open_long, place_of, scroll_to
from tests.provider.fixture import Provider

STREAM = " ".join(f"word{n}" for n in range(4000))
TO_LATEST = re.compile("Jump to the latest")
#: The distance to the end of the conversation, in pixels.
LEFT = "e => e.scrollHeight - e.clientHeight - e.scrollTop"
#: Waits until no movement goes on.
AT_REST = """async () => {
    const scroller = document.querySelector("#content");
    for (let [still, top] = [0, -1]; still < 15; still = scroller.scrollTop === top ? still + 1 : 0) {
        top = scroller.scrollTop;
        await new Promise(requestAnimationFrame);
    }
    return true;
}"""


def scroller(page: Page) -> Locator:
    return page.locator("#content")


def left(page: Page) -> float:
    return float(scroller(page).evaluate(LEFT))


def in_view(page: Page) -> int:
    """The number of the first message that begins below the upper edge."""
    return int(
        page.evaluate(
            """() => {
                const edge = document.querySelector("#content").getBoundingClientRect().top;
                const all = [...document.querySelectorAll("#view article")];
                const seen = all.find((e) => e.getBoundingClientRect().top > edge + 20);
                return seen.textContent.match(/Message (\\d+)/)[1];
            }"""
        )
    )


def to_latest(page: Page) -> Locator:
    return page.get_by_role("button", name=TO_LATEST)


def wait_for_words(page: Page, count: int = 15) -> None:
    """Wait until the answer in progress has so many more words."""
    page.wait_for_function(
        """async (count) => {
            const last = () => [...document.querySelectorAll("#view .message__text")].at(-1);
            const words = () => last().textContent.split(" ").length;
            const before = words();
            while (words() < before + count) await new Promise(requestAnimationFrame);
            return true;
        }""",
        arg=count,
    )


@contextmanager
def an_answer_in_progress(page: Page, provider: Provider) -> Iterator[None]:
    provider.script(text=STREAM, delay=0.03)
    say(page, "Go on, please.")
    expect(answers(page).last).to_contain_text("word5")
    yield
    page.get_by_role("button", name="Stop").click()
    expect(answers(page).last).to_have_attribute("data-status", "cancelled")


def wheel(page: Page, pixels: int) -> None:
    scroller(page).hover()
    page.mouse.wheel(0, -pixels)


def press(page: Page, key: str) -> None:
    scroller(page).focus()
    page.keyboard.press(key)


def drag_a_finger(page: Page, pixels: int) -> None:
    """Touch, move and let go, as a finger on a phone does."""
    line = page.context.new_cdp_session(page)
    line.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, y in (
        ("touchStart", 300),
        *(("touchMove", 300 + 4 * n) for n in range(pixels // 4)),
        ("touchEnd", 0),
    ):
        points = [] if kind == "touchEnd" else [{"x": 400, "y": y}]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    line.send("Emulation.setTouchEmulationEnabled", {"enabled": False})


#: What a reader does to move up: the last stands for a scrollbar, find in page, and a link to a place.
WAYS: dict[str, Callable[[Page], None]] = {
    "a trackpad, one pixel": lambda page: wheel(page, 1),
    "a wheel": lambda page: wheel(page, 60),
    "an arrow key": lambda page: press(page, "ArrowUp"),
    "a page key": lambda page: press(page, "PageUp"),
    "a finger": lambda page: drag_a_finger(page, 40),
    "a scrollbar": lambda page: scroller(page).evaluate("e => { e.scrollTop -= 2 }"),
}


def test_window_of_another_size_still_follows_and_offers_no_end_that_is_seen(
    page: Page, site: Site, provider: Provider
) -> None:
    provider.script(text="One word after the other. " * 60)
    say(page, "Tell me, please.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    for width, height in ((320, 640), (768, 900), (390, 700), (1280, 500), (420, 900), (1280, 700)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(AT_REST)
        assert left(page) < 1, f"{width} × {height}"
        expect(to_latest(page)).to_be_hidden()
    page.set_viewport_size({"width": 320, "height": 480})
    wheel(page, 60)
    expect(to_latest(page)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 1600})  # all of it is seen
    expect(to_latest(page)).to_be_hidden()


def test_every_movement_up_stops_following_and_the_end_starts_it(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 60)
    for way in WAYS.values():  # nothing is written
        way(page)
        expect(to_latest(page)).to_be_visible()
        page.wait_for_function(AT_REST)
        assert left(page) >= 1
        scroll_to(page, "e.scrollHeight")
        expect(to_latest(page)).to_be_hidden()
    with an_answer_in_progress(page, provider):
        for name, way in WAYS.items():
            way(page)
            expect(to_latest(page), name).to_be_visible()
            wait_for_words(page, 5)  # a movement may take some frames
            before, place = left(page), place_of(page, 58)
            wait_for_words(page, 40)
            assert left(page) > before, f"{name}: the answer has grown below the reader"
            assert abs(place_of(page, 58) - place) < 1, name
            scroll_to(page, "e.scrollHeight")
            wait_for_words(page)
            expect(to_latest(page), name).to_be_hidden()
            assert left(page) < 1, name


def test_selected_text_and_focus_in_the_conversation_do_not_move(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 60)
    with an_answer_in_progress(page, provider):
        message(page, 59).locator("code").first.dblclick()  # it is selected, and may be copied
        place = place_of(page, 59)
        wait_for_words(page, 40)
        assert abs(place_of(page, 59) - place) < 1
        to_latest(page).click()
        wait_for_words(page)
        assert left(page) < 1
        page.get_by_label("Your message", exact=True).focus()
        while (
            not message(page, 59)
            .get_by_role("button", name="Copy")
            .evaluate("e => e === document.activeElement")
        ):
            page.keyboard.press("Shift+Tab")
        wait_for_words(page, 5)
        place = place_of(page, 59)
        wait_for_words(page, 40)
        assert abs(place_of(page, 59) - place) < 1


def test_button_says_what_has_come_below(page: Page, site: Site, provider: Provider) -> None:
    open_long(page, site, 60)
    other = page.context.new_page()
    other.goto(page.url)
    wheel(page, 300)
    expect(page.get_by_role("button", name="Jump to the latest", exact=True)).to_be_visible()
    provider.script(text=STREAM[:600], pause_after=10, until="the button was read")
    say(other, "From another tab.")
    expect(page.get_by_role("button", name="Jump to the latest · 2 new messages")).to_be_visible()
    provider.release("the button was read")
    expect(answers(other).last).to_have_attribute("data-status", "completed")
    to_latest(page).click()
    expect(to_latest(page)).to_be_hidden()
    assert left(page) < 1
    wheel(page, 300)
    expect(page.get_by_role("button", name="Jump to the latest", exact=True)).to_be_visible()


@pytest.mark.parametrize("follows", [True, False], ids=["at the end", "above"])
def test_place_stays_when_the_page_changes_its_size_or_what_is_above_grows(
    page: Page, site: Site, provider: Provider, follows: bool
) -> None:
    """A phone's keyboard, rotation, what loads above, an answer above that is tried again."""
    open_long(page, site, 60)
    if not follows:
        wheel(page, 700)
        expect(to_latest(page)).to_be_visible()
        page.wait_for_function(AT_REST)

    def changed(by: Callable[[], object]) -> None:
        seen = 59 if follows else in_view(page)
        place = place_of(page, seen)
        by()
        page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        if follows:
            assert left(page) < 1
            expect(to_latest(page)).to_be_hidden()
        else:
            assert abs(place_of(page, seen) - place) < 3

    changed(lambda: page.set_viewport_size({"width": 1280, "height": 420}))
    changed(lambda: page.set_viewport_size({"width": 1280, "height": 800}))
    changed(lambda: page.set_viewport_size({"width": 500, "height": 800}))
    changed(lambda: page.set_viewport_size({"width": 1100, "height": 600}))
    grow = "n => { document.querySelectorAll('#view article')[n].style.paddingBottom = '170px' }"
    changed(lambda: page.evaluate(grow, 2))
    changed(lambda: page.evaluate(grow, 30))
    changed(
        lambda: page.evaluate(
            "() => { document.querySelectorAll('#view article')[30].style.paddingBottom = 0 }"
        )
    )
    changed(
        lambda: page.locator("#view .message__main").last.evaluate("e => { e.style.paddingBottom = '90px' }")
    )


def test_reading_position_of_each_conversation_is_kept_while_the_page_is_open(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 120)
    long = page.url
    scroll_to(page, "500")
    expect(page.get_by_role("article")).to_have_count(80)
    scroll_to(page, "900")
    expect(page.get_by_role("article")).to_have_count(120)
    seen = in_view(page)
    place = place_of(page, seen)
    assert seen < 80, "not on the newest page"
    page.keyboard.press("Control+Shift+O")
    say(page, "Another conversation.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.go_back()
    page.go_back()
    assert page.url == long
    expect(message(page, seen)).to_be_in_viewport()
    assert abs(place_of(page, seen) - place) < 2
    expect(to_latest(page)).to_be_visible()
    to_latest(page).click()
    expect(message(page, 119)).to_be_in_viewport()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("radio").first).to_be_visible()
    page.go_back()
    expect(message(page, 119)).to_be_in_viewport()
    expect(questions(page).last).to_be_in_viewport()
