"""Other versions of answers and questions, on two pages of the same visitor."""

from playwright.sync_api import Page, expect

from tests.e2e.reading import answers, edit, editor, questions, say, text_of
from tests.provider.fixture import Provider


def test_another_answer_is_asked_for_and_both_tabs_show_the_chosen_one(
    page: Page, provider: Provider
) -> None:
    provider.script(text="To the sea.")
    say(page, "Where to, this spring?")
    expect(text_of(answers(page))).to_have_text("To the sea.")
    other = page.context.new_page()
    other.goto(page.url)
    expect(text_of(answers(other))).to_have_text("To the sea.")

    provider.script(text="To the hills.", pause_after=1, until="the hills are seen")
    answers(page).get_by_role("button", name="Regenerate").click()
    for tab in (page, other):
        expect(answers(tab)).to_have_attribute("data-status", "active")
        expect(answers(tab)).to_contain_text("2 / 2")
    page.reload()
    expect(answers(page)).to_have_attribute("data-status", "active")
    provider.release("the hills are seen")
    for tab in (page, other):
        expect(text_of(answers(tab))).to_have_text("To the hills.")

    back = answers(page).get_by_role("button", name="Previous version")
    back.click()
    for tab in (page, other):
        expect(text_of(answers(tab))).to_have_text("To the sea.")
    expect(back).to_be_focused()
    expect(back).to_be_disabled()
    provider.script(text="Bathe.")
    say(other, "And what there?")
    for tab in (page, other):
        expect(text_of(answers(tab))).to_have_text(["To the sea.", "Bathe."])
    assert "To the hills." not in str(provider.requests[-1].json)
    answers(other).first.get_by_role("button", name="Next version").click()
    for tab in (page, other):
        expect(text_of(answers(tab))).to_have_text(["To the hills."])


def test_failed_version_goes_back_and_can_be_seen_and_tried_again(page: Page, provider: Provider) -> None:
    provider.script(text="To the sea.")
    say(page, "Where to, this autumn?")
    expect(text_of(answers(page))).to_have_text("To the sea.")
    provider.script(status=400)
    page.keyboard.press("Control+Shift+Enter")
    expect(answers(page)).to_contain_text("1 / 2")
    expect(text_of(answers(page))).to_have_text("To the sea.")
    answers(page).get_by_role("button", name="Next version").click()
    expect(answers(page)).to_have_attribute("data-status", "failed")
    page.reload()
    expect(answers(page)).to_have_attribute("data-status", "failed")
    answers(page).get_by_role("button", name="Previous version").click()
    expect(text_of(answers(page))).to_have_text("To the sea.")


def test_hit_of_a_search_in_another_branch_opens_that_branch(page: Page, provider: Provider) -> None:
    provider.script(text="A heron stands there.")
    say(page, "What stands in the water?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    provider.script(text="Nothing.")
    edit(page, 0, "What stands on the roof?")
    expect(text_of(answers(page))).to_have_text("Nothing.")
    page.keyboard.press("Control+k")
    page.keyboard.type("heron")
    page.locator("#sidebar").get_by_role("link").filter(has_text="heron").click()
    expect(text_of(answers(page))).to_have_text("A heron stands there.")
    expect(questions(page)).to_contain_text("1 / 2")


def test_what_is_written_about_a_version_is_kept_with_it(page: Page, provider: Provider) -> None:
    """P1, P14: the change of a message and a comment on an answer, while another tab asks something else."""
    for number, text in enumerate(("One.", "Two.")):
        say(page, text)
        expect(answers(page).nth(number)).to_have_attribute("data-status", "completed")
    other = page.context.new_page()
    other.goto(page.url)
    expect(answers(other)).to_have_count(2)
    questions(page).nth(1).get_by_role("button", name="Edit").click()
    editor(page).fill("Two, please?")
    page.get_by_role("button", name="Poor answer").last.click()
    page.get_by_label("More details (optional)").fill("Too long")
    edit(other, 0, "Zero.")
    expect(page.locator("#notice")).to_contain_text("What you had not sent is kept with the one before.")
    expect(answers(page)).to_have_count(1)
    questions(page).get_by_role("button", name="Previous version").click()
    expect(editor(page)).to_have_value("Two, please?")
    expect(page.get_by_label("More details (optional)")).to_have_value("Too long")
    questions(page).first.get_by_role("button", name="Next version").click()
    expect(answers(page)).to_have_count(1)
