"""Feedback on an answer by mouse and keyboard, announced, and shown again after a reload."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, looks, questions, say, serious, spoken
from tests.e2e.site import Site
from tests.provider.fixture import Provider


def _get_answer(page: Page, provider: Provider) -> None:
    provider.script(text="Lisbon, in May.")
    say(page, "Where to?")
    expect(answers(page)).to_have_attribute("data-status", "completed")


def test_feedback_is_given_changed_and_removed(site: Site, page: Page, provider: Provider) -> None:
    _get_answer(page, provider)
    up, down = (page.get_by_role("button", name=f"{word} answer") for word in ("Good", "Poor"))
    expect(up).to_have_attribute("aria-pressed", "false")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(spoken(page)).to_have_text("Thank you.")
    thanks = page.get_by_text("Thank you for your feedback.")
    expect(thanks).to_be_in_viewport()
    expect(page.get_by_role("button", name="Say why")).to_be_hidden()

    down.focus()
    page.keyboard.press("Enter")
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("group", name="What was wrong with this answer?")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Not correct")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.get_by_label("More details (optional)").fill("I asked for Porto.")
    page.get_by_role("button", name="Send feedback").press("Enter")
    expect(page.get_by_role("group", name="What was wrong with this answer?")).to_be_hidden()
    expect(down).to_be_focused()
    expect(thanks).to_be_in_viewport()

    page.get_by_role("button", name="Change").click()  # P23: it can be changed
    expect(page.get_by_role("radio", name="Not correct")).not_to_be_checked()
    expect(page.get_by_label("More details (optional)")).to_have_value("I asked for Porto.")
    page.get_by_label("More details (optional)").fill("I asked for Porto, in May.")
    page.get_by_role("button", name="Send feedback").click()
    expect(thanks).to_be_in_viewport()
    expect(spoken(page)).to_have_text("Thank you.")

    page.reload()
    expect(down).to_have_attribute("aria-pressed", "true")
    thread = page.url.rpartition("/")[2]
    message = page.request.get(f"{site.url}/api/threads/{thread}").json()["messages"][1]
    comment = "I asked for Porto, in May."
    assert message["feedback"] == {"value": "down", "reason": "missed", "comment": comment}

    down.click()
    expect(spoken(page)).to_have_text("Feedback removed.")
    page.reload()
    expect(answers(page)).to_have_count(1)
    expect(down).to_have_attribute("aria-pressed", "false")


def test_feedback_not_saved_is_announced_and_not_shown(page: Page, provider: Provider) -> None:
    _get_answer(page, provider)
    page.route("**/feedback", lambda route: route.abort())
    up = page.get_by_role("button", name="Good answer")
    up.click()
    expect(page.get_by_text("Your feedback was not saved.").first).to_be_visible()
    expect(page.get_by_text("Thank you for your feedback.")).to_be_hidden()
    expect(up).to_have_attribute("aria-pressed", "false")


@looks(360, 1280)
def test_feedback_form_is_accessible(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    _get_answer(page, provider)
    page.get_by_role("button", name="Poor answer").click()
    page.get_by_role("radio", name="Wrong tone").check(force=True)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_own_message_is_copied_and_buttons_have_room_for_a_finger(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    """P23: copy on one's own message; in a conversation's menu none is alone in a second row."""
    context = visitor(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(site.url)
    page.get_by_label("Your message", exact=True).fill("Where to, *then*?")
    page.get_by_role("button", name="Send").tap()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    questions(page).get_by_role("button", name="Copy").tap()
    expect(spoken(page)).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == "Where to, *then*?"
    page.get_by_role("button", name="Good answer").tap()
    expect(page.get_by_text("Thank you for your feedback.")).to_be_in_viewport()
    sizes = (
        page.locator("#view")
        .locator("button:visible")
        .evaluate_all(
            "all => all.map((e) => [e.innerText, Math.round(e.offsetWidth), Math.round(e.offsetHeight)])"
        )
    )
    assert [size for size in sizes if min(size[1:]) < 44] == []
    page.get_by_role("button", name="Conversations").tap()
    page.locator(".thread__more").tap()
    tops = page.locator(".thread__actions > *").evaluate_all("all => all.map((e) => e.offsetTop)")
    assert len(set(tops)) in (1, len(tops))
