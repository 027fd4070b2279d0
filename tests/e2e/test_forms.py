"""What is typed in a form of the chat is kept: the change of a message, a comment, a title (P1, P4, P14)."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.reading import (
    answered,
    answers,
    delete_conversation,
    editor,
    message_field,
    open_menu,
    open_new,
    questions,
    text_of,
)
from tests.provider.fixture import Provider


def change(page: Page, text: str, number: int = 0) -> None:
    """Begin to change the question with that number, from 0."""
    questions(page).nth(number).get_by_role("button", name="Edit").click()
    questions(page).nth(number).get_by_label("Edit your message").fill(text)


def test_change_of_a_message_is_kept_until_it_is_sent_or_given_up(page: Page, provider: Provider) -> None:
    """P1: the editor of a message is a draft, too."""
    answered(page, "Lisbon?")
    change(page, "Lisbon in May?")
    page.reload()
    expect(editor(page)).to_have_value("Lisbon in May?")
    open_new(page)
    page.go_back()
    expect(editor(page)).to_have_value("Lisbon in May?")
    editor(page).press("Enter")
    expect(text_of(questions(page))).to_have_text("Lisbon in May?")
    expect(answers(page)).to_contain_text("“Lisbon in May?”")

    change(page, "Or Porto?")
    editor(page).press("Escape")
    expect(page.locator("#notice")).to_contain_text("Your change is not sent. It is kept")
    page.reload()
    expect(text_of(questions(page))).to_have_text("Lisbon in May?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(editor(page)).to_have_count(0)
    questions(page).get_by_role("button", name="Edit").click()
    expect(editor(page)).to_have_value("Or Porto?")
    page.reload()
    expect(editor(page)).to_have_value("Or Porto?")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Restore").click()
    expect(editor(page)).to_have_value("Or Porto?")
    page.get_by_role("button", name="Cancel").click()
    questions(page).get_by_role("button", name="Edit").click()
    expect(editor(page)).to_have_value("Lisbon in May?")


def test_what_is_written_about_messages_deleted_elsewhere_is_kept(page: Page, provider: Provider) -> None:
    """P1, P14: the change of a message and a comment on an answer, in open and in closed forms."""
    answered(page, "One.", "Two.")
    other = page.context.new_page()
    other.goto(page.url)
    expect(answers(other)).to_have_count(2)
    change(page, "One, please?")
    change(page, "Two, please?", 1)
    editor(page).last.press("Escape")  # closed is not given up
    page.get_by_role("button", name="Poor answer").last.click()
    page.get_by_label("More details (optional)").fill("Too long")
    delete_conversation(other)
    expect(page.locator("#notice")).to_contain_text("This conversation was deleted")
    expect(message_field(page)).to_have_value("One, please?\n\nTwo, please?\n\nToo long")


def test_title_and_comment_are_measured_as_the_server_does(page: Page, provider: Provider) -> None:
    """P4: in characters, and not in halves of them; what is too long is said and stays."""
    answered(page, "Hello.")
    open_menu(page, "Rename")
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


def test_comment_is_kept_over_a_reload_and_until_it_is_saved(page: Page, provider: Provider) -> None:
    """P1: what is typed about an answer is kept, too."""
    answered(page, "Where to?")
    down = page.get_by_role("button", name="Poor answer")
    comment = page.get_by_label("More details (optional)")
    down.click()
    comment.fill("It is closed on Mondays")
    page.reload()
    expect(comment).to_have_value("It is closed on Mondays")
    page.route("**/feedback", lambda route: route.abort())
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_text("Your feedback was not saved.").first).to_be_visible()
    expect(comment).to_have_value("It is closed on Mondays")
    page.unroute("**/feedback")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_text("Thank you for your feedback.")).to_be_visible()
    down.click()
    expect(down).to_have_attribute("aria-pressed", "false")
    down.click()
    expect(comment).to_have_value("")


def test_words_in_a_form_that_escape_closes_come_back(page: Page, provider: Provider) -> None:
    """P1: a comment on an answer, a title, and the search, which can be undone."""
    answered(page, "Where to?")
    down = page.get_by_role("button", name="Poor answer")
    comment = page.get_by_label("More details (optional)")
    down.click()
    comment.fill("It is closed on Mondays")
    comment.press("Escape")
    expect(comment).to_be_hidden()
    page.get_by_role("button", name="Continue writing").click()
    expect(comment).to_have_value("It is closed on Mondays")
    page.get_by_role("button", name="Close", exact=True).click()
    page.reload()
    down.click()
    expect(comment).to_have_value("It is closed on Mondays")
    down.click()  # pressed with its form open, it is taken back
    expect(down).to_have_attribute("aria-pressed", "false")

    open_menu(page, "Rename")
    title = page.get_by_label("Title of the conversation")
    title.fill("Lisbon, perhaps")
    title.press("Escape")
    expect(page.locator(".thread__title")).to_have_text("Where to?")
    page.reload()
    open_menu(page, "Rename")
    expect(title).to_have_value("Lisbon, perhaps")
    title.press("Enter")
    expect(page.locator(".thread__title")).to_have_text("Lisbon, perhaps")
    open_menu(page, "Rename")
    expect(title).to_have_value("Lisbon, perhaps")
    title.press("Escape")

    find = page.get_by_label("Find a conversation")
    find.press_sequentially("perhaps")
    find.press("Escape")
    expect(find).to_have_value("")
    find.press("Control+z")
    expect(find).to_have_value("perhaps")
