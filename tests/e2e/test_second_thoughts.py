"""Messages that are changed, deleted or asked again, while they wait and after they were answered."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.e2e.reading import answers, edit, editor, questions, say, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LONG = " ".join(f"word{n}" for n in range(80))


def _two_questions(page: Page, provider: Provider) -> None:
    """One that is being answered until the test tells that the first may end, and one that waits."""
    provider.script(text=LONG, pause_after=10, until="the first may end")
    say(page, "First, please.")
    expect(answers(page).first).to_have_attribute("data-status", "active")
    say(page, "Second, plaese.")
    expect(answers(page).nth(1)).to_contain_text("Waiting for the previous answer")


def test_waiting_message_is_edited_in_place_by_keyboard(page: Page, provider: Provider) -> None:
    _two_questions(page, provider)
    button = questions(page).nth(1).get_by_role("button", name="Edit")
    button.focus()
    page.keyboard.press("Enter")
    expect(editor(page)).to_be_focused()
    expect(editor(page)).to_have_value("Second, plaese.")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(questions(page).nth(1)).to_contain_text("Second, plaese.")
    expect(answers(page).first).to_have_attribute("data-status", "active")  # Escape stopped no answer

    page.keyboard.press("Enter")
    editor(page).fill("Second, please.")
    page.keyboard.press("Enter")
    expect(spoken(page)).to_have_text("Message changed.")
    expect(button).to_be_focused()
    expect(text_of(questions(page).nth(1))).to_have_text("Second, please.")
    provider.release("the first may end")
    expect(answers(page).nth(1)).to_contain_text("“Second, please.”")
    assert len(provider.requests) == 2


def test_waiting_message_edited_after_a_reload_changes_in_all_tabs(page: Page, provider: Provider) -> None:
    _two_questions(page, provider)
    page.reload()
    expect(answers(page).nth(1)).to_contain_text("Waiting for the previous answer")
    other = page.context.new_page()
    other.goto(page.url)
    expect(questions(other)).to_have_count(2)

    edit(page, 1, "Something else, please.")
    for tab in (page, other):
        expect(text_of(questions(tab).nth(1))).to_have_text("Something else, please.")
    provider.release("the first may end")
    for tab in (page, other):
        expect(answers(tab).nth(1)).to_contain_text("“Something else, please.”")


def test_change_before_the_first_greeting_of_a_tab_is_shown_there(page: Page, provider: Provider) -> None:
    """The tab has loaded the conversation, and its socket does not receive events yet."""
    _two_questions(page, provider)
    held: list[tuple[WebSocketRoute, str | bytes]] = []

    def hold_greeting(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def forward(frame: str | bytes) -> None:
            if '"hello"' in str(frame):
                held.append((socket, frame))

        server.on_message(forward)

    other = page.context.new_page()
    other.route_web_socket("**/ws/", hold_greeting)
    other.goto(page.url)
    expect(questions(other)).to_have_count(2)
    edit(page, 1, "Something else, please.")
    expect(text_of(questions(page).nth(1))).to_have_text("Something else, please.")
    for socket, frame in held:
        socket.send(frame)
    expect(text_of(questions(other).nth(1))).to_have_text("Something else, please.")
    provider.release("the first may end")


def test_message_that_starts_during_its_edit_is_asked_again_only_when_confirmed(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    page = visitor().new_page()
    deaf = False

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def ask(frame: str | bytes) -> None:
            nonlocal deaf
            deaf = deaf and "message:edit" not in str(frame)
            server.send(frame)

        socket.on_message(ask)
        server.on_message(lambda frame: None if deaf else socket.send(frame))

    page.route_web_socket("**/ws/", between)
    page.goto(site.url)
    provider.script(text="Soon over.", until="the page is deaf")
    provider.script(text=LONG, until="the edit was refused")
    say(page, "First, please.")
    expect(answers(page).first).to_have_attribute("data-status", "active")
    say(page, "Second, plaese.")
    expect(answers(page).nth(1)).to_contain_text("Waiting for the previous answer")
    deaf = True  # the page does not hear that its turn has come
    provider.release("the page is deaf")
    provider.wait_for(lambda requests: len(requests) == 2)
    questions(page).nth(1).get_by_role("button", name="Edit").click()
    editor(page).fill("Second, please.")
    editor(page).press("Enter")

    expect(questions(page).nth(1)).to_contain_text("The answer has already started.")
    expect(editor(page)).to_have_value("Second, please.")
    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    page.keyboard.press("Escape")
    expect(text_of(questions(page).nth(1))).to_have_text("Second, plaese.")
    provider.release("the edit was refused")
    expect(text_of(answers(page).nth(1))).to_have_text(LONG)
    assert len(provider.requests) == 2


def test_withdrawn_message_disappears_and_its_text_can_be_restored(page: Page, provider: Provider) -> None:
    _two_questions(page, provider)
    page.reload()
    questions(page).nth(1).get_by_role("button", name="Delete").click()

    expect(questions(page)).to_have_count(1)
    expect(answers(page)).to_have_count(1)
    expect(spoken(page)).to_have_text("Message deleted.")
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()
    page.get_by_role("button", name="Restore text").click()
    expect(page.get_by_label("Your message", exact=True)).to_have_value("Second, plaese.")
    page.reload()
    expect(questions(page)).to_have_count(1)
    provider.release("the first may end")
    expect(text_of(answers(page).first)).to_have_text(LONG)
    assert len(provider.requests) == 1


def test_edit_of_answered_question_asks_again_and_keeps_what_was_said(page: Page, provider: Provider) -> None:
    for text in ("One.", "Two."):
        say(page, text)
        expect(answers(page).last).to_contain_text(f"“{text}”")
    provider.script(text="Another answer.", wait=1)
    edit(page, 0, "Another one.")
    expect(text_of(questions(page))).to_have_text(["Another one."])
    expect(text_of(answers(page))).to_have_text(["Another answer."])
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()
    expect(questions(page)).to_contain_text("2 / 2")
    page.reload()
    expect(text_of(answers(page))).to_have_text(["Another answer."])
    questions(page).get_by_role("button", name="Previous version").click()
    expect(text_of(questions(page))).to_have_text(["One.", "Two."])
    expect(answers(page).last).to_contain_text("“Two.”")
    expect(questions(page).first).to_contain_text("1 / 2")


def test_edit_of_question_being_answered_stops_the_answer(page: Page, provider: Provider) -> None:
    _two_questions(page, provider)
    provider.script(text="Changed in time.")
    edit(page, 0, "Something shorter, please.")
    expect(text_of(questions(page))).to_have_text(["Something shorter, please."])
    expect(text_of(answers(page))).to_have_text(["Changed in time."])
    provider.wait_for(lambda requests: requests[0].disconnected)


def test_messages_without_websockets_can_be_edited_and_withdrawn(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    context = visitor()
    context.add_init_script(
        "window.WebSocket = class extends WebSocket { constructor(url) { super(url + 'nowhere'); } };"
    )
    page = context.new_page()
    page.goto(site.url)
    provider.script(text=LONG, until="the first may end")
    say(page, "First, please.")
    expect(answers(page).first).to_have_attribute("data-status", "active")
    for text in ("Second.", "Third."):
        say(page, text)
        expect(answers(page).last).to_contain_text("Waiting for the previous answer")
    edit(page, 1, "Something else.")
    expect(text_of(questions(page).nth(1))).to_have_text("Something else.")
    questions(page).nth(2).get_by_role("button", name="Delete").click()
    expect(questions(page)).to_have_count(2)
    provider.release("the first may end")
    expect(answers(page).nth(1)).to_contain_text("“Something else.”")


def test_edit_without_a_connection_keeps_its_text(page: Page, provider: Provider) -> None:
    say(page, "One.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    edit(page, 0, "Another one.")

    expect(questions(page)).to_contain_text("There is no connection.")
    expect(editor(page)).to_have_value("Another one.")
    page.context.set_offline(False)
    expect(page.get_by_text("Back online.").first).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(answers(page)).to_contain_text("“Another one.”")
