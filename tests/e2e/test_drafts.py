"""What is typed is kept: one draft per conversation, on the device, until it is sent or cleared."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.reading import answers, choose, edit, editor, questions, say, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

NOTE: Any = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"One line."}
STORAGE_THROWS = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"])
    Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
"""
#: As left by something else at the same address: values of other forms, and no room for more.
STORAGE_IS_FULL = """
if (location.protocol === "http:" && !localStorage.getItem("foreign-0")) {
    localStorage.setItem("buddy.outbox", '{"not": "ours"}');
    localStorage.setItem("buddy.accepted", "[[");
    localStorage.setItem("buddy.theme", "neon");
    let piece = "x".repeat(2 ** 20);
    for (let n = 0; piece; n += 1)
        try { localStorage.setItem(`foreign-${n}`, piece); }
        catch { piece = piece.slice(piece.length / 2 + 1); }
}
"""


def field(page: Page) -> Locator:
    return page.get_by_label("Your message", exact=True)


def chip(page: Page) -> Locator:
    return page.locator("#attachment")


def open_new(page: Page) -> None:
    page.get_by_role("link", name="New conversation").first.click()
    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()


def put_in(page: Page, text: str) -> None:
    """Write what no keyboard writes, and press Enter. `text` is a JavaScript expression."""
    page.evaluate(f"document.querySelector('#message').value = {text}")
    field(page).press("Enter")


def test_each_conversation_has_its_own_draft_over_reloads_and_links(page: Page, provider: Provider) -> None:
    """P1."""
    field(page).fill("For Travel.")
    choose(page, "Travel")
    expect(field(page)).to_have_value("For Travel.")  # who chooses after writing has written for the choice
    page.reload()
    expect(field(page)).to_have_value("")
    field(page).fill("For the first.")
    page.reload()
    expect(field(page)).to_have_value("For the first.")
    choose(page, "Travel")
    expect(field(page)).to_have_value("For Travel.")
    say(page, "Lisbon?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    expect(field(page)).to_have_value("")

    field(page).fill("Half a thought")
    page.locator("#file").set_input_files(NOTE)
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("link", name="Help lines").click()
    page.go_back()
    expect(field(page)).to_have_value("Half a thought")
    expect(questions(page)).to_have_count(1)
    open_new(page)
    expect(field(page)).to_have_value("")
    expect(chip(page)).to_be_hidden()
    choose(page, "Corporate")
    expect(field(page)).to_have_value("For the first.")
    page.go_back()
    expect(field(page)).to_have_value("Half a thought")
    expect(chip(page)).to_contain_text("note.txt")
    page.reload()
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("button", name="Send").click()
    expect(questions(page).nth(1)).to_contain_text("note.txt")
    expect(questions(page).nth(1)).to_contain_text("Half a thought")
    page.reload()
    expect(questions(page)).to_have_count(2)
    expect(field(page)).to_have_value("")
    expect(chip(page)).to_be_hidden()


def test_tabs_of_one_conversation_share_a_draft_and_others_do_not(page: Page, provider: Provider) -> None:
    """P1: also what is sent in one tab is no longer a draft in the other."""
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    other = page.context.new_page()
    other.goto(page.url)
    expect(questions(other)).to_have_count(1)
    elsewhere = page.context.new_page()
    elsewhere.goto(page.url.partition("/t/")[0])
    field(elsewhere).fill("Elsewhere.")
    field(page).fill("Written here.")
    expect(field(other)).to_have_value("Written here.")
    field(other).press("Enter")
    expect(questions(other)).to_have_count(2)
    expect(field(page)).to_have_value("")
    expect(field(elsewhere)).to_have_value("Elsewhere.")


def test_change_of_a_message_is_kept_until_it_is_sent_or_given_up(page: Page, provider: Provider) -> None:
    """P1: the editor of a message is a draft, too."""
    say(page, "Lisbon?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    questions(page).get_by_role("button", name="Edit").click()
    editor(page).fill("Lisbon in May?")
    page.reload()
    expect(editor(page)).to_have_value("Lisbon in May?")
    open_new(page)
    page.go_back()
    expect(editor(page)).to_have_value("Lisbon in May?")
    editor(page).press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Ask again").click()
    expect(text_of(questions(page))).to_have_text("Lisbon in May?")
    expect(answers(page)).to_contain_text("“Lisbon in May?”")
    questions(page).get_by_role("button", name="Edit").click()
    editor(page).fill("Or Porto?")
    editor(page).press("Escape")
    page.reload()
    expect(text_of(questions(page))).to_have_text("Lisbon in May?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(editor(page)).to_have_count(0)


def test_what_is_written_about_messages_deleted_elsewhere_is_kept(page: Page, provider: Provider) -> None:
    """P1, P14: the change of a message and a comment on an answer, which another tab deletes."""
    for number, text in enumerate(("One.", "Two.")):
        say(page, text)
        expect(answers(page).nth(number)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    other = page.context.new_page()
    other.goto(page.url)
    expect(answers(other)).to_have_count(2)
    questions(page).nth(1).get_by_role("button", name="Edit").click()
    editor(page).fill("Two, please?")
    page.get_by_role("button", name="Poor answer").last.click()
    page.get_by_label("More details (optional)").fill("Too long")
    edit(other, 0, "Zero.")
    other.get_by_role("dialog").get_by_role("button", name="Ask again").click()
    expect(field(page)).to_have_value("Two, please?\n\nToo long")
    expect(page.locator("#notice")).to_contain_text(
        "in another tab or on another device. What you had not sent"
    )
    expect(answers(page)).to_contain_text("“Zero.”")

    field(page).fill("")
    questions(page).get_by_role("button", name="Edit").click()
    editor(page).fill("Zero and a half")
    other.get_by_role("button", name="More for").click()
    other.get_by_role("button", name="Delete").locator("visible=true").click()
    other.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#notice")).to_contain_text("This conversation was deleted")
    expect(field(page)).to_have_value("Zero and a half")


def test_words_and_file_of_an_ended_session_wait_in_a_new_conversation(
    page: Page, site: Site, provider: Provider
) -> None:
    """P2: the conversation is another owner's from then on. What was on the screen is still the writer's."""
    choose(page, "Travel")
    say(page, "Here.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    page.locator("#file").set_input_files(NOTE)
    questions(page).get_by_role("button", name="Edit").click()
    editor(page).fill("Or there?")
    site.end_sessions()
    banner = page.locator("#banner")
    expect(banner).to_contain_text("Your session has ended.")
    field(page).fill("A new thought")
    page.context.clear_cookies()
    banner.get_by_role("button", name="Start again").click()
    expect(page).to_have_url(f"{site.url}/")
    expect(page.get_by_role("radio", name="Travel")).to_be_checked()
    expect(field(page)).to_have_value("Or there?\nA new thought")
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("button", name="Send").click()
    expect(questions(page)).to_contain_text("note.txt")
    expect(questions(page)).to_contain_text("A new thought")


def test_text_that_no_store_takes_is_mended_and_answered(page: Page, provider: Provider) -> None:
    """P4: also the most characters that the server takes, which are four times as many bytes."""
    put_in(page, "'\\u{1f642}'.repeat(17000)")
    expect(questions(page)).to_have_attribute("data-status", "sent")  # for the model it may be too long
    put_in(page, "'Half \\ud83d and nothing\\0.'")
    expect(text_of(questions(page).nth(1))).to_have_text("Half \ufffd and nothing.")
    expect(answers(page).nth(1)).to_contain_text("and nothing.")
    put_in(page, "'\\0\\u200b\\u3164'")  # there is nothing to see: it is not sent
    questions(page).nth(1).get_by_role("button", name="Edit").click()
    editor(page).evaluate("field => { field.value = 'Cut \\udc00 here.'; }")
    editor(page).press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Ask again").click()
    expect(text_of(questions(page).nth(1))).to_have_text("Cut \ufffd here.")
    expect(answers(page).nth(1)).to_contain_text("here.")

    edit(page, 1, "\U0001f642" * 20_001)
    expect(questions(page).nth(1)).to_contain_text("has 20,001 characters; the maximum is 20,000.")
    expect(editor(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(questions(page)).to_have_count(2)


def test_title_and_comment_are_measured_as_the_server_does(page: Page, provider: Provider) -> None:
    """P4: in characters, and not in halves of them; what is too long is said and stays."""
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="More for “Hello.”").click()
    page.get_by_role("button", name="Rename").locator("visible=true").click()
    title = page.get_by_label("Title of the conversation")
    title.fill("\U0001f642" * 121)
    title.press("Enter")
    expect(title).to_have_value("\U0001f642" * 121)
    assert "121 characters; the maximum is 120" in title.evaluate("input => input.validationMessage")
    title.fill("\U0001f642" * 120)
    title.press("Enter")
    expect(page.locator("#threads .thread__title")).to_have_text("\U0001f642" * 120)

    page.get_by_role("button", name="Poor answer").click()
    comment = page.get_by_label("More details (optional)")
    comment.fill("\U0001f642" * 1_001)
    page.get_by_role("button", name="Send feedback").click()
    assert "1,001 characters; the maximum is 1,000" in comment.evaluate("field => field.validationMessage")
    comment.fill("\U0001f642" * 1_000)
    with page.expect_response(re.compile("/feedback")) as saved:
        page.get_by_role("button", name="Send feedback").click()
    assert saved.value.ok


def test_page_works_where_storage_is_full_or_blocked(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    """P13."""
    for script in (STORAGE_IS_FULL, STORAGE_THROWS):
        context = visitor()
        context.add_init_script(script)
        page = context.new_page()
        page.goto(site.url)
        for number, text in enumerate(("One.", "Two.")):
            say(page, text)
            expect(answers(page).nth(number)).to_contain_text(f"“{text}”")
        field(page).fill("A draft")
        open_new(page)
        expect(field(page)).to_have_value("")
        page.go_back()
        expect(field(page)).to_have_value("A draft")
        expect(questions(page)).to_have_count(2)
        context.set_offline(True)
        expect(page.get_by_text("You are offline.").first).to_be_visible()
        field(page).press("Enter")
        expect(questions(page).nth(2)).to_contain_text("This browser cannot store it.")
        context.set_offline(False)
        expect(answers(page).nth(2)).to_contain_text("“A draft”")
        field(page).fill("Another draft")
        site.end_sessions()  # P2
        expect(page.locator("#banner")).to_contain_text("Your session has ended.")
        context.clear_cookies()
        page.get_by_role("button", name="Start again").click()
        expect(page).to_have_url(f"{site.url}/")
        expect(field(page)).to_have_value("Another draft")


def test_double_click_on_a_suggestion_is_one_message(page: Page, provider: Provider) -> None:
    page.locator(".prompt").first.dblclick()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(questions(page)).to_have_count(1)


def test_browser_without_cookies_gets_a_sentence(site: Site, visitor: Callable[..., BrowserContext]) -> None:
    """P13: each request would be a new visitor's."""
    context = visitor()
    context.add_init_script(STORAGE_THROWS)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setDocumentCookieDisabled", {"disabled": True})
    page.goto(site.url)
    expect(page.get_by_role("heading", name="This browser keeps no cookies for this site")).to_be_visible()
    expect(field(page)).to_be_disabled()
    with page.expect_event("load"):
        page.get_by_role("button", name="Try again").click()
