"""The keyboard: what one knows from other chats works here, is listed, and leaves those alone who type."""

from playwright.sync_api import Page, expect

from tests.e2e.reading import answers, editor, say, serious, spoken
from tests.provider.fixture import Provider


def test_listed_shortcuts_do_what_the_list_says(page: Page, provider: Provider) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    provider.script(text="A **short** answer.")
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(spoken(page)).to_contain_text("has answered")  # it would talk over what is said next

    page.keyboard.press("Control+/")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Copy the last answer")
    assert serious(page) == []
    page.keyboard.press("Escape")

    page.keyboard.press("Control+Shift+;")
    expect(spoken(page)).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == "A **short** answer."

    page.keyboard.press("ArrowUp")
    expect(editor(page)).to_have_value("Hello.")
    page.keyboard.press("Escape")
    expect(editor(page)).to_be_hidden()  # until it is gone, what is typed is text
    page.keyboard.press("/")
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()

    page.keyboard.press("Control+k")
    expect(page.get_by_label("Find a conversation")).to_be_focused()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("radio").first).to_be_checked()
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()


def test_single_key_shortcuts_are_text_in_fields_and_can_be_disabled(page: Page) -> None:
    field, dialog = page.get_by_label("Your message", exact=True), page.get_by_role("dialog")
    field.press_sequentially("/?")
    expect(field).to_have_value("/?")
    expect(dialog).to_be_hidden()
    field.press("ArrowUp")  # not an empty field: the caret moves
    field.blur()
    page.keyboard.press("?")
    dialog.get_by_label("as shortcuts").uncheck()
    page.keyboard.press("Escape")

    page.reload()
    expect(page.get_by_role("radio").first).to_be_checked()
    field.blur()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Control+/")
    expect(dialog).to_be_visible()
