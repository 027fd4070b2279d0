"""P2: a session ends elsewhere. Every form of the page says so, and what was typed in it goes on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from tests.e2e.reading import answers, editor, questions, say, spoken
from tests.e2e.site import Site
from tests.e2e.test_account import sign_up
from tests.provider.fixture import Provider

HANDED_OVER = "Your session had ended. What you had written is below; it was not sent."


def field(page: Page) -> Locator:
    return page.get_by_label("Your message", exact=True)


def banner(page: Page) -> Locator:
    return page.locator("#banner").filter(has_text="Your session has ended.")


@pytest.fixture
def unaware(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """A page whose socket does not report the end of the session, as in a laptop that was asleep."""

    def deaf(socket: WebSocketRoute) -> None:
        socket.connect_to_server().on_close(lambda code, reason: None)

    page = visitor().new_page()
    page.route_web_socket("**/ws/", deaf)
    page.goto(site.url)
    return page


def end_session(page: Page) -> None:
    """The browser's next request is a new visitor's, as after signing out on another device."""
    page.context.clear_cookies(name="sessionid")


def begin(page: Page) -> None:
    """Get an answer, and wait until nothing more is requested: the test counts on what fails first."""
    with page.expect_response("**/api/usage"):
        say(page, "Lisbon?")
        expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")


def test_comment_and_title_after_the_end_are_kept_and_the_end_is_said(
    unaware: Page, site: Site, provider: Provider
) -> None:
    begin(unaware)
    comment = unaware.get_by_label("More details (optional)")
    unaware.get_by_role("button", name="Poor answer").click()
    unaware.get_by_text("Missed the question").click()
    comment.fill("It is closed on Mondays")
    end_session(unaware)
    unaware.get_by_role("button", name="Send feedback").click()
    expect(unaware.locator("#notice")).to_contain_text("Your feedback was not saved. Your session")
    expect(spoken(unaware)).to_contain_text("Your session has ended.")
    expect(banner(unaware)).to_be_visible()
    expect(comment).to_have_value("It is closed on Mondays")
    expect(unaware.get_by_role("radio", name="Missed the question")).to_be_checked()

    unaware.get_by_role("button", name="More for “Lisbon?”").click()
    unaware.get_by_role("button", name="Rename").locator("visible=true").click()
    title = unaware.get_by_label("Title of the conversation")
    title.fill("Lisbon in May")
    title.press("Enter")
    expect(unaware.locator("#threads-note")).to_contain_text("The title could not be changed.")
    expect(title).to_have_value("Lisbon in May")
    title.press("Escape")
    unaware.get_by_role("button", name="More for “Lisbon?”").click()
    unaware.get_by_role("link", name="Download").locator("visible=true").click()
    expect(unaware.locator("#notice")).to_contain_text("Your session has ended.")

    unaware.get_by_role("button", name="Start again").click()
    expect(field(unaware)).to_have_value("It is closed on Mondays")
    expect(unaware.locator("#notice")).to_have_text(HANDED_OVER)
    expect(answers(unaware)).to_have_count(0)


def test_going_elsewhere_or_loading_again_after_the_end_brings_the_words_along(
    unaware: Page, site: Site, provider: Provider
) -> None:
    begin(unaware)
    for way in ("a conversation", "a new one", "reload", "away and back"):
        field(unaware).fill(f"By {way}")
        end_session(unaware)
        if way == "a conversation":  # it is the first request that fails
            unaware.get_by_role("link", name="New conversation").first.click()
            unaware.get_by_role("link", name="Lisbon?").click()
            expect(unaware.get_by_role("heading", name="Your session has ended")).to_be_visible()
            unaware.get_by_role("link", name="Lisbon?").click()
        else:
            questions(unaware).get_by_role("button", name="Edit").click()
            editor(unaware).fill("Porto?")
            unaware.get_by_role("button", name="Good answer").click()
            expect(banner(unaware)).to_be_visible()
        if way == "a new one":
            unaware.get_by_role("link", name="New conversation").first.click()
        elif way == "reload":
            unaware.reload()
        elif way == "away and back":
            unaware.get_by_role("link", name="Help lines").click()
            unaware.go_back()
        before = "" if way == "a conversation" else "Porto?\n"
        expect(field(unaware)).to_have_value(f"{before}By {way}")
        expect(unaware.locator("#notice")).to_have_text(HANDED_OVER)
        field(unaware).press("Enter")
        expect(answers(unaware)).to_have_attribute("data-status", "completed")
        unaware.wait_for_url("**/t/*")


def test_words_of_an_ended_session_are_not_the_next_persons(
    unaware: Page, site: Site, provider: Provider
) -> None:
    """S16: who signs in is perhaps another person, also in the tab where the words were."""
    begin(unaware)
    field(unaware).fill("My secret about herons")
    end_session(unaware)
    unaware.get_by_role("button", name="Good answer").click()
    expect(banner(unaware)).to_be_visible()
    sign_up(unaware)
    expect(unaware.get_by_text("Your conversations will appear here.")).to_be_visible()
    expect(field(unaware)).to_have_value("")
