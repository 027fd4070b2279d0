"""Keys and focus: input methods, Escape, Enter that is held, and where what is typed goes (P8, P10, P12)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, Route, expect

from tests.e2e.reading import answers, editor, questions, say, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LONG = " ".join(f"word{n}" for n in range(80))
#: What browsers send for a key that an input method takes.
IME = {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 229}


def message(page: Page) -> Locator:
    return page.get_by_label("Your message", exact=True)


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("listitem").filter(has_text=title)


def answered(page: Page, text: str) -> None:
    say(page, text)
    expect(answers(page).last).to_have_attribute("data-status", "completed")


def being_answered(page: Page, provider: Provider, text: str) -> None:
    provider.script(text=LONG, pause_after=5, until="it was seen")
    say(page, text)
    expect(text_of(answers(page).last)).to_contain_text("word3")


def compose(page: Page, line: CDPSession, field: Locator, key: str) -> None:
    """Write a word with an input method, and end it with `key`, as Chromium and then as Safari reports it."""
    expect(field).to_be_focused()
    line.send("Input.imeSetComposition", {"text": "かん", "selectionStart": 2, "selectionEnd": 2})
    line.send("Input.dispatchKeyEvent", IME | {"key": key, "code": key})
    line.send("Input.insertText", {"text": "漢"})
    line.send("Input.dispatchKeyEvent", IME | {"key": key, "code": key})
    expect(field).to_have_value("漢")


def test_keys_of_an_input_method_are_not_keys_of_the_page(page: Page, provider: Provider) -> None:
    """P8: neither in the message, nor in its editor, a title, the search or the feedback."""
    line = page.context.new_cdp_session(page)
    for key in ("Enter", "Escape"):
        compose(page, line, message(page), key)
        message(page).fill("")
    being_answered(page, provider, "Hello.")
    message(page).focus()
    compose(page, line, message(page), "Escape")
    provider.release("it was seen")
    expect(answers(page)).to_have_attribute("data-status", "completed")  # no Escape has stopped it
    expect(questions(page)).to_have_count(1)
    message(page).fill("")

    page.keyboard.press("ArrowUp")
    for key in ("Escape", "Enter"):
        editor(page).fill("")
        compose(page, line, editor(page), key)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Escape")

    row(page, "Hello").get_by_role("button", name="More").click()
    row(page, "Hello").get_by_role("button", name="Rename").click()
    title = page.get_by_label("Title of the conversation")
    for key in ("Escape", "Enter"):
        title.fill("")
        compose(page, line, title, key)
    page.keyboard.press("Enter")
    expect(row(page, "漢").get_by_role("link").first).to_be_focused()

    page.keyboard.press("Control+k")
    find = page.get_by_label("Find a conversation")
    compose(page, line, find, "Escape")
    page.keyboard.press("Escape")
    expect(find).to_have_value("")

    page.get_by_role("button", name="Poor answer").click()
    details = page.get_by_label("More details (optional)")
    details.focus()
    compose(page, line, details, "Escape")


def test_escape_closes_what_is_open_before_it_stops_an_answer(page: Page, provider: Provider) -> None:
    """P10, P23: a menu, the search, a form, wherever the focus is; what was written is not lost."""
    answered(page, "Lisbon?")
    being_answered(page, provider, "Porto?")
    item = row(page, "Lisbon")
    more = item.get_by_role("button", name="More")
    rename = item.get_by_role("button", name="Rename")
    more.click()
    rename.focus()
    page.keyboard.press("Escape")
    expect(rename).to_be_hidden()
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")  # the sidebar is not the page
    more.click()
    page.get_by_role("heading", level=1).click()
    expect(rename).to_be_hidden()

    page.keyboard.press("Control+k")
    find = page.get_by_label("Find a conversation")
    page.keyboard.type("nothing like it")
    expect(item).to_be_hidden()
    page.keyboard.press("Escape")
    expect(find).to_have_value("")
    expect(item).to_be_visible()
    page.keyboard.press("Escape")
    expect(message(page)).to_be_focused()

    page.get_by_role("button", name="Poor answer").first.click()
    page.get_by_label("More details").fill("Wrong year.")
    message(page).focus()
    page.keyboard.press("Escape")
    expect(page.get_by_label("More details")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("More details")).to_be_hidden()
    questions(page).first.get_by_role("button", name="Edit").press("Enter")
    expect(editor(page)).to_be_focused()
    page.locator("#content").focus()
    page.keyboard.press("Escape")
    expect(editor(page)).to_be_hidden()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.mouse.click(5, 400)  # beside the dialog
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(answers(page).last).to_have_attribute("data-status", "active")
    page.keyboard.press("Escape")
    expect(answers(page).last).to_contain_text("Stopped here.")


@contextmanager
def held_back(page: Page, pattern: str) -> Iterator[list[Route]]:
    """Requests for `pattern` wait in the list until the end of the block."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    yield held
    for route in held:
        route.continue_()
    page.unroute(pattern)


def test_what_is_typed_at_once_goes_into_the_opened_conversation(page: Page, provider: Provider) -> None:
    """P12: by a click, by a shortcut, by the Back button, and with nothing focused."""
    answered(page, "Lisbon?")
    page.keyboard.press("Control+Shift+O")
    page.keyboard.type("Any train to Porto?")
    expect(message(page)).to_have_value("Any train to Porto?")
    page.keyboard.press("Enter")
    expect(answers(page).last).to_have_attribute("data-status", "completed")

    with held_back(page, "**/api/threads/*"):
        row(page, "Lisbon").get_by_role("link").first.click()
        expect(page.get_by_text("Loading the conversation")).to_be_attached()
        page.keyboard.type("And in May?")
        page.keyboard.press("Enter")
        expect(message(page)).to_have_value("And in May?")
    expect(questions(page).nth(1)).to_contain_text("And in May?")
    expect(questions(page).first).to_contain_text("Lisbon?")
    expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")

    with held_back(page, "**/api/threads/*"):
        row(page, "Any train").get_by_role("link").first.click()
        page.keyboard.type("Not for Lisbon")
        page.keyboard.press("Enter")
        row(page, "Lisbon").get_by_role("link").first.click()
    expect(questions(page)).to_have_count(2)
    page.go_back()
    expect(questions(page)).to_contain_text("Any train")
    message(page).evaluate("field => { field.value = ''; field.dispatchEvent(new Event('input')); }")
    page.keyboard.type("Wait, ")
    message(page).blur()
    page.keyboard.type("by bus")
    expect(message(page)).to_have_value("Wait, by bus")


def test_focus_is_kept_when_its_element_disappears(page: Page, provider: Provider) -> None:
    """P12: after deleting and renaming, also if the list moves meanwhile."""
    for text in ("One.", "Two.", "Three."):
        answered(page, text)
        page.keyboard.press("Control+Shift+O")
    row(page, "Two").get_by_role("button", name="More").press("Enter")
    row(page, "Two").get_by_role("button", name="Delete").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(row(page, "Two").get_by_role("button", name="More")).to_be_focused()
    page.keyboard.press("Enter")
    row(page, "Two").get_by_role("button", name="Delete").press("Enter")
    dialog.get_by_role("button", name="Delete").press("Enter")
    expect(row(page, "Two")).to_have_count(0)
    expect(row(page, "One").get_by_role("link").first).to_be_focused()

    provider.script(text=LONG, until="its title is being written")
    row(page, "One").get_by_role("link").first.press("Enter")
    say(page, "More.")
    expect(answers(page).last).to_have_attribute("data-status", "active")
    row(page, "One").get_by_role("button", name="More").click()
    row(page, "One").get_by_role("button", name="Rename").click()
    page.keyboard.type("The fir")
    provider.release("its title is being written")
    expect(answers(page).last).to_have_attribute("data-status", "completed")
    expect(spoken(page)).to_contain_text("has answered")
    page.keyboard.type("st")
    message(page).click()  # a title is saved by leaving it, and the focus goes where the visitor wants it
    expect(row(page, "The first")).to_be_visible()
    expect(message(page)).to_be_focused()


def test_held_keys_count_once(page: Page, provider: Provider) -> None:
    """P8: Enter on “Edit” does not send its editor, Escape that closes a dialog stops nothing."""
    being_answered(page, provider, "Hello.")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Control+/")
    expect(dialog).to_be_visible()
    for _ in range(3):
        page.keyboard.down("Escape")  # the second and third are repeats
    page.keyboard.up("Escape")
    expect(dialog).to_be_hidden()
    questions(page).get_by_role("button", name="Edit").focus()
    for _ in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(editor(page)).to_have_value("Hello.")
    expect(dialog).to_be_hidden()
    editor(page).press("Alt+Enter")
    editor(page).press("Escape")
    expect(answers(page)).to_have_attribute("data-status", "active")
    provider.release("it was seen")
    message(page).fill("Second")
    message(page).press("Shift+Enter")
    page.keyboard.type("line")
    page.keyboard.down("Control")
    for _ in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.up("Control")
    expect(text_of(questions(page).last)).to_have_text("Second\nline")
    expect(questions(page)).to_have_count(2)


def test_phone_opens_conversations_without_its_keyboard(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    """P12: the keyboard comes only for those who tap the field; there Enter is a new line."""
    page = visitor(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True).new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    expect(message(page)).not_to_be_focused()
    message(page).tap()
    page.keyboard.type("First")
    page.keyboard.press("Enter")
    page.keyboard.type("second")
    expect(message(page)).to_have_value("First\nsecond")
    page.get_by_role("button", name="Send").tap()
    expect(message(page)).to_be_focused()  # the keyboard stays
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Conversations", exact=True).tap()
    page.get_by_role("navigation").get_by_role("link").first.tap()
    expect(questions(page)).to_have_count(1)
    expect(message(page)).not_to_be_focused()
    assert page.evaluate("document.activeElement.id") == "content"
