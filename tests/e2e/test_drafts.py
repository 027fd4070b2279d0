"""What is typed is kept: one draft per conversation, on the device, until it is sent or cleared."""

from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.reading import (
    answers,
    choose,
    edit,
    editor,
    message_field,
    open_new,
    questions,
    say,
    text_of,
)
from tests.e2e.site import Site
from tests.provider.fixture import Provider

NOTE: Any = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"One line."}


def chip(page: Page) -> Locator:
    return page.locator("#attachment")


def put_in(page: Page, text: str) -> None:
    """Write what no keyboard writes, and press Enter. `text` is a JavaScript expression."""
    page.evaluate(f"document.querySelector('#message').value = {text}")
    message_field(page).press("Enter")


def test_each_conversation_has_its_own_draft_over_reloads_and_links(page: Page, provider: Provider) -> None:
    """P1."""
    message_field(page).fill("For Travel.")
    choose(page, "Travel")
    expect(message_field(page)).to_have_value(
        "For Travel."
    )  # who chooses after writing has written for the choice
    page.reload()
    expect(message_field(page)).to_have_value("")
    message_field(page).fill("For the first.")
    page.reload()
    expect(message_field(page)).to_have_value("For the first.")
    choose(page, "Travel")
    expect(message_field(page)).to_have_value("For Travel.")
    say(page, "Lisbon?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    expect(message_field(page)).to_have_value("")

    message_field(page).fill("Half a thought")
    page.locator("#file").set_input_files(NOTE)
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("link", name="Help lines").click()
    page.go_back()
    expect(message_field(page)).to_have_value("Half a thought")
    expect(questions(page)).to_have_count(1)
    open_new(page)
    expect(message_field(page)).to_have_value("")
    expect(chip(page)).to_be_hidden()
    choose(page, "Corporate")
    expect(message_field(page)).to_have_value("For the first.")
    page.go_back()
    expect(message_field(page)).to_have_value("Half a thought")
    expect(chip(page)).to_contain_text("note.txt")
    page.reload()
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("button", name="Send").click()
    expect(questions(page).nth(1)).to_contain_text("note.txt")
    expect(questions(page).nth(1)).to_contain_text("Half a thought")
    page.reload()
    expect(questions(page)).to_have_count(2)
    expect(message_field(page)).to_have_value("")
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
    message_field(elsewhere).fill("Elsewhere.")
    message_field(page).fill("Written here.")
    expect(message_field(other)).to_have_value("Written here.")
    message_field(other).press("Enter")
    expect(questions(other)).to_have_count(2)
    expect(message_field(page)).to_have_value("")
    expect(message_field(elsewhere)).to_have_value("Elsewhere.")

    held: list[Route] = []
    page.route("**/api/analysis", lambda route: held.append(route))
    page.locator("#file").set_input_files(NOTE)
    expect(chip(page)).to_contain_text("note.txt")
    say(page, "What is it?")
    expect(chip(page)).to_contain_text("Sending…")
    other.reload()  # it cannot know whether the upload has ended with its tab
    expect(message_field(other)).to_have_value("What is it?")
    held[0].continue_()
    for one in (page, other):
        expect(text_of(questions(one).nth(2))).to_have_text("What is it?")
        expect(message_field(one)).to_have_value("")
        expect(chip(one)).to_be_hidden()


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
    message_field(page).fill("A new thought")
    page.context.clear_cookies()
    banner.get_by_role("button", name="Start again").click()
    expect(page).to_have_url(f"{site.url}/")
    expect(page.get_by_role("radio", name="Travel")).to_be_checked()
    expect(message_field(page)).to_have_value("Or there?\nA new thought")
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
    expect(text_of(questions(page).nth(1))).to_have_text("Cut \ufffd here.")
    expect(answers(page).nth(1)).to_contain_text("here.")

    edit(page, 1, "\U0001f642" * 20_001)
    expect(questions(page).nth(1)).to_contain_text("has 20,001 characters; the maximum is 20,000.")
    expect(editor(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(questions(page)).to_have_count(2)


def test_double_click_on_a_suggestion_is_one_message(page: Page, provider: Provider) -> None:
    page.locator(".prompt").first.dblclick()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(questions(page)).to_have_count(1)
