"""One user with two browsers, each signed in for itself, and a stranger with a third."""

import itertools
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from tests.e2e.reading import answers, editor, questions, say, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LONG = " ".join(f"word{n}" for n in range(60))
PASSWORD = "two-browsers-4711"
_NUMBERS = itertools.count()


def _enter(page: Page, site: Site, name: str, *, new: bool) -> None:
    """Sign up or in, as a person does."""
    page.goto(f"{site.url}/account/sign-{'up' if new else 'in'}/")
    page.get_by_label("Name:" if new else "Name or e-mail address:", exact=True).fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    if new:
        page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Sign up" if new else "Sign in").click()
    expect(page).to_have_url(f"{site.url}/")


@pytest.fixture
def browsers(site: Site, visitor: Callable[..., BrowserContext], provider: Provider) -> tuple[Page, Page]:
    """A computer and a phone of one user, in the same conversation; one question is answered."""
    computer = visitor().new_page()
    phone = visitor(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    name = f"two{next(_NUMBERS)}"
    _enter(computer, site, name, new=True)
    _enter(phone, site, name, new=False)
    say(computer, "Hello from the computer.")
    expect(answers(computer)).to_have_attribute("data-status", "completed")
    phone.goto(computer.url)
    expect(answers(phone)).to_have_attribute("data-status", "completed")
    return computer, phone


def test_question_asked_in_one_browser_is_followed_in_the_other(
    browsers: tuple[Page, Page], site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    computer, phone = browsers
    provider.script(text=LONG, until="both have seen the place")
    provider.script(text=LONG, pause_after=10, until="both have seen words")
    other = visitor().new_page()
    other.goto(site.url)
    say(other, "I was first.")
    expect(answers(other)).to_have_attribute("data-status", "active")
    phone.get_by_label("Your message", exact=True).fill("Hello from the phone.")
    phone.get_by_role("button", name="Send").tap()

    expect(text_of(questions(computer))).to_have_text(["Hello from the computer.", "Hello from the phone."])
    for page in browsers:
        expect(answers(page).nth(1)).to_contain_text("Next in line")
    provider.release("both have seen the place")
    for page in browsers:
        expect(answers(page).nth(1)).to_have_attribute("data-status", "active")
        expect(text_of(answers(page).nth(1))).to_contain_text("word5")
        expect(answers(page).nth(1)).to_have_attribute("aria-busy", "true")
    provider.release("both have seen words")
    for page in browsers:
        expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")
        expect(text_of(answers(page).nth(1))).to_have_text(LONG)


def test_conversation_that_failed_to_load_is_loaded_again(
    browsers: tuple[Page, Page], provider: Provider
) -> None:
    computer, phone = browsers
    phone.route("**/api/threads/*", lambda route: route.fulfill(status=500, body="{}"), times=1)
    provider.script(text=LONG, delay=0.02)
    say(computer, "Can you hear me?")
    expect(text_of(questions(phone).nth(1))).to_have_text("Can you hear me?")
    expect(text_of(answers(phone).nth(1))).to_have_text(LONG)


def test_stop_in_one_browser_stops_the_answer_in_both(
    browsers: tuple[Page, Page], provider: Provider
) -> None:
    computer, phone = browsers
    provider.script(text=LONG, delay=0.05, after=6, end="stall")
    say(computer, "Stop me from the phone.")
    expect(text_of(answers(phone).nth(1))).to_contain_text("word1")
    phone.get_by_role("button", name="Stop").tap()

    for page in browsers:
        expect(answers(page).nth(1)).to_contain_text("Stopped here.")
    provider.wait_for(lambda requests: requests[1].disconnected)
    kept = text_of(answers(computer).nth(1)).inner_text()
    assert LONG.startswith(kept)
    expect(text_of(answers(phone).nth(1))).to_have_text(kept)


def test_waiting_message_is_edited_and_withdrawn_in_both_browsers(
    browsers: tuple[Page, Page], provider: Provider
) -> None:
    computer, phone = browsers
    provider.script(text=LONG, after=6, end="stall")
    say(computer, "A long one, please.")
    expect(answers(phone).nth(1)).to_have_attribute("data-status", "active")
    say(computer, "And aftrewards?")
    say(computer, "And then?")
    for page in browsers:
        expect(questions(page)).to_have_count(4)
        for number in (2, 3):
            expect(answers(page).nth(number)).to_contain_text("Waiting for the previous answer")
    questions(phone).nth(2).get_by_role("button", name="Edit").tap()
    editor(phone).fill("And afterwards?")
    phone.get_by_role("button", name="Save").tap()
    for page in browsers:
        expect(text_of(questions(page).nth(2))).to_have_text("And afterwards?")
    questions(computer).nth(3).get_by_role("button", name="Delete").click()
    for page in browsers:
        expect(questions(page)).to_have_count(3)
        expect(answers(page)).to_have_count(3)
    phone.get_by_role("button", name="Stop").tap()
    for page in browsers:
        expect(answers(page).nth(2)).to_contain_text("“And afterwards?”")


def test_another_visitor_receives_no_events_and_cannot_act(
    browsers: tuple[Page, Page], site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    computer, phone = browsers
    frames: list[dict[str, object]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(json.loads(data)))

    stranger = visitor().new_page()
    stranger.on("websocket", listen)
    stranger.goto(computer.url)
    expect(stranger.get_by_text("Conversation not found")).to_be_visible()
    provider.script(text=LONG, delay=0.05)
    say(computer, "Between us.")
    expect(text_of(answers(phone).nth(1))).to_contain_text("word1")

    ids = computer.evaluate(
        """async (id) => {
            const { messages } = await (await fetch(`/api/threads/${id}`)).json();
            const [question, reply] = messages.slice(-2);
            return { jobId: reply.jobId, questionId: question.id };
        }""",
        computer.url.rpartition("/")[2],
    )
    told = stranger.evaluate(
        """({ jobId, questionId }) => new Promise((resolve) => {
            const told = [];
            const ask = [
                { type: "job:watch", jobId },
                { type: "job:cancel", jobId },
                { type: "job:retry", jobId },
                { type: "message:edit", messageId: questionId, content: "Mine now." },
                { type: "message:withdraw", messageId: questionId },
                { type: "ping", t: "last" },
            ];
            const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/");
            socket.onopen = () => ask.forEach((message) => socket.send(JSON.stringify(message)));
            socket.onmessage = ({ data }) => {
                told.push(JSON.parse(data));
                if (told.at(-1).t === "last") resolve(told);
            };
        })""",
        ids,
    )
    assert [event.get("code") for event in told if event["type"] == "error"] == ["not_found"] * 5
    for page in browsers:
        expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")
        expect(text_of(answers(page).nth(1))).to_have_text(LONG)
    stranger.evaluate("document.title")  # whatever was on its way has come by now
    heard = {str(event["type"]) for event in [*frames, *told]}
    assert heard <= {"hello", "pong", "ping", "error"}


def _tap_send(phone: Page, text: str) -> None:
    """Send a message as on a touch screen, where Enter begins a new line."""
    phone.get_by_label("Your message", exact=True).fill(text)
    phone.get_by_role("button", name="Send").tap()


def test_conversations_renamed_deleted_and_erased_in_one_browser_are_so_in_the_other(
    browsers: tuple[Page, Page], site: Site, provider: Provider
) -> None:
    """P14. What was typed into a deleted conversation is kept."""
    computer, phone = browsers
    row = computer.locator("#threads .thread")
    row.get_by_role("button", name="More for").click()
    row.get_by_role("button", name="Rename").click()
    computer.get_by_label("Title of the conversation").fill("Herons")
    computer.keyboard.press("Enter")
    expect(phone.locator("#header-title")).to_have_text("Herons")
    field = phone.get_by_label("Your message", exact=True)
    field.fill("Half a thought")
    row.get_by_role("button", name="More for").click()
    row.get_by_role("button", name="Delete").click()
    computer.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    expect(computer.get_by_text("in another tab or on another device")).to_have_count(0)

    expect(phone.locator("#notice")).to_contain_text("was deleted in another tab or on another device")
    expect(phone.locator("#threads .thread")).to_have_count(0)
    expect(questions(phone)).to_have_count(0)
    expect(field).to_have_value("Half a thought")
    _tap_send(phone, "A whole thought")
    expect(answers(phone)).to_have_attribute("data-status", "completed")
    expect(row).to_have_count(1)

    computer.goto(f"{site.url}/account/erase/")
    computer.get_by_label("Your password").fill(PASSWORD)
    computer.get_by_role("button", name="Erase your data").click()
    expect(phone.get_by_role("heading", name="Everything was erased")).to_be_visible()
    expect(questions(phone)).to_have_count(0)
    expect(phone.locator("#threads .thread")).to_have_count(0)
    phone.get_by_role("button", name="Start again").tap()
    expect(phone.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()


def test_conversation_deleted_while_the_other_browser_is_offline_is_gone_afterwards(
    browsers: tuple[Page, Page],
) -> None:
    computer, phone = browsers
    phone.context.set_offline(True)
    expect(phone.get_by_text("You are offline.").first).to_be_visible()
    _tap_send(phone, "Written offline.")
    expect(questions(phone).nth(1)).to_contain_text("Saved on this device.")
    row = computer.locator("#threads .thread")
    row.get_by_role("button", name="More for").click()
    row.get_by_role("button", name="Delete").click()
    computer.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    phone.context.set_offline(False)
    expect(phone.locator("#notice")).to_contain_text("was deleted in another tab or on another device")
    expect(phone.get_by_label("Your message", exact=True)).to_have_value("Written offline.")
