"""What the page says when there is too much: of messages, of haste, of everybody; and when a session ends."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.pictures.faults import measured
from tests.e2e.pictures.looks import Look, Wardrobe
from tests.e2e.reading import answers, choose, questions, say, spoken, text_of
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.support.valkey import wait_until

LONG = " ".join(f"word{n}" for n in range(100))
#: Lets a test do to the page's socket what the server would: `hear(event)` and `hangUp(code)`.
HANDS_ON = """
const send_to_server = WebSocket.prototype.send;
window.opened = 0;
window.WebSocket = class extends WebSocket {
    constructor(url) { super(url); window.socket = this; window.opened += 1; }
};
WebSocket.prototype.send = function (frame) {
    // `swallow` makes the next frame one that the server refuses.
    window.sent = JSON.parse(frame);
    if (!window.swallow) send_to_server.call(this, frame);
    window.swallow = false;
};
window.hear = (event) => socket.onmessage({ data: JSON.stringify(event) });
window.hangUp = (code) => {
    const { onclose } = socket;
    socket.onclose = null;
    socket.close();
    onclose({ code });
};
"""
EVERY_REASON = """async () => {
    const { waitText } = await import("/static/chat/js/text/wording.js");
    const reasons = "queue rate_limit provider slow paused delayed workers redis previous_message".split(" ");
    return reasons.map((reason) => waitText({ low: null, high: null, reason }, 2));
}"""


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """A site with one slot, that is throttled from two jobs and full from three."""
    with running(
        tmp_path_factory.mktemp("small"),
        **scripted.publishes,
        QUEUE_OPENAI_CHAT_CONCURRENCY="1",
        QUEUE_OPENAI_CHAT_SOFT_LIMIT="2",
        QUEUE_OPENAI_CHAT_HARD_LIMIT="3",
    ) as site:
        yield site


@pytest.fixture
def handled(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """The page, with the test's hands on its socket."""
    context = visitor()
    context.add_init_script(HANDS_ON)
    page = context.new_page()
    page.goto(site.url)
    wait_until(lambda: page.evaluate("window.socket && socket.readyState === 1"), "the socket")
    return page


def test_full_queue_is_shown_and_the_message_kept_until_there_is_room(
    small_site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    provider.script(text=LONG, until="the line was seen full")
    others = [visitor().new_page() for _ in range(3)]
    for other in others:
        other.goto(small_site.url)
        say(other, "Hello there.")
        expect(answers(other)).to_have_count(1)
    page = visitor().new_page()
    page.goto(small_site.url)
    expect(page.locator("#notice")).to_contain_text("The queue is full.")

    say(page, "Is there room for me?")
    mine = questions(page)
    expect(mine).to_contain_text(re.compile(r"The queue is full\. You can send it again in \d+ s"))
    expect(spoken(page)).to_contain_text("Not sent. The queue is full.")
    page.reload()
    expect(text_of(mine)).to_have_text("Is there room for me?")
    provider.release("the line was seen full")
    expect(text_of(answers(others[0]))).to_have_text(LONG)
    expect(page.locator("#notice")).to_be_hidden()
    mine.get_by_role("button", name="Send again").click()
    expect(answers(page)).to_contain_text("“Is there room for me?”")


def test_message_refused_as_too_many_is_sent_again_by_the_page(handled: Page, provider: Provider) -> None:
    handled.evaluate("window.swallow = true")
    say(handled, "Too fast.")
    handled.evaluate(
        """() => hear({ type: "error", code: "too_many", error: "That was too fast. Please wait a moment.",
                        requestId: sent.requestId, retryAfter: 3 })"""
    )
    expect(questions(handled)).to_contain_text(re.compile(r"Too many requests\. It will be sent in \d s\."))
    expect(answers(handled)).to_contain_text("“Too fast.”")
    assert len(provider.requests) == 1


def test_refused_message_says_why_can_be_changed_and_blocks_nothing(
    handled: Page, provider: Provider
) -> None:
    """P4: whatever the server refuses that the page did not."""
    handled.evaluate("window.swallow = true")
    say(handled, "Not like this.")
    handled.evaluate(
        """() => hear({ type: "error", code: "invalid", error: "It cannot be like this.",
                        requestId: sent.requestId })"""
    )
    expect(questions(handled)).to_contain_text("It cannot be like this. Change it and send it again.")
    say(handled, "The next one.")
    expect(answers(handled)).to_contain_text("“The next one.”")
    handled.reload()
    expect(questions(handled)).to_have_count(2)
    handled.get_by_label("Your message", exact=True).fill("Written meanwhile.")
    questions(handled).get_by_role("button", name="Change").click()
    expect(questions(handled)).to_have_count(1)
    expect(handled.get_by_label("Your message", exact=True)).to_have_value(
        "Not like this.\nWritten meanwhile."
    )


def test_refused_stop_shows_a_countdown_and_can_be_repeated(handled: Page, provider: Provider) -> None:
    provider.script(text=LONG, delay=0.05, after=6, end="stall")
    say(handled, "Talk for long.")
    expect(text_of(answers(handled))).to_contain_text("word1")
    error = {"type": "error", "code": "too_many", "error": "That was too fast.", "retryAfter": 4}
    handled.evaluate("(event) => hear(event)", error)
    expect(handled.locator("#notice")).to_contain_text(
        re.compile(r"nothing was sent\. You can try again in \d s\.")
    )
    expect(handled.locator("#notice")).to_contain_text("You can try again now.")
    handled.get_by_role("button", name="Stop").click()
    expect(answers(handled)).to_contain_text("Stopped here.")


def test_reasons_for_waiting_all_have_a_sentence(page: Page) -> None:
    sentences = page.evaluate(EVERY_REASON)
    assert len(set(sentences)) == len(sentences) == 9
    assert all(re.fullmatch(r"(Because|The model does not answer) .+\.", sentence) for sentence in sentences)


def test_ended_session_is_announced_and_the_page_starts_again(handled: Page, provider: Provider) -> None:
    choose(handled, "Travel")
    handled.evaluate("hangUp(4401)")
    banner = handled.locator("#banner")
    expect(banner).to_contain_text("Your session has ended.")
    expect(spoken(handled)).to_contain_text("Your session has ended.")
    say(handled, "Written too late.")
    expect(questions(handled)).to_contain_text("Saved on this device, not sent.")
    wardrobe = Wardrobe(handled)
    for look, height in ((Look(320, 200), 0), (Look(320), 256)):
        wardrobe.wear(look, height)
        assert measured(handled) == [], "P16: the conversation keeps its part of a low window"
        banner.get_by_role("button", name="Start again").click(trial=True)
    wardrobe.wear(Look(1280))

    # Whatever usually makes the page connect again does not.
    handled.evaluate("window.dispatchEvent(new Event('online'))")
    handled.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(banner.get_by_role("button", name="Try now")).to_have_count(0)
    assert handled.evaluate("opened") == 1

    handled.context.clear_cookies()
    banner.get_by_role("button", name="Start again").click()
    expect(banner).to_be_hidden()
    # Nothing is sent for another owner by itself: what was not sent waits in a new conversation (P2).
    expect(questions(handled)).to_have_count(0)
    expect(handled.get_by_role("radio", name="Travel")).to_be_checked()
    expect(handled.get_by_label("Your message", exact=True)).to_have_value("Written too late.")
    say(handled, "Written now.")
    expect(answers(handled)).to_contain_text("“Written now.”")
    assert len(provider.requests) == 1


def test_socket_of_a_deleted_session_is_closed(
    page: Page, site: Site, visitor: Callable[..., BrowserContext]
) -> None:
    say(page, "Here.")  # before that, nothing of a visitor is stored that could end
    expect(answers(page)).to_have_attribute("data-status", "completed")
    site.end_sessions()
    expect(page.locator("#banner")).to_contain_text("Your session has ended.")
    page.get_by_role("button", name="Start again").click()
    expect(page.locator("#banner")).to_be_hidden()
    say(page, "Here again.")
    expect(answers(page).last).to_contain_text("“Here again.”")


def test_page_that_sent_too_much_waits_before_it_connects(handled: Page) -> None:
    handled.clock.install()
    handled.evaluate("hangUp(4008)")
    banner = handled.locator("#banner")
    expect(banner).to_contain_text(re.compile(r"sent too many requests.*Connecting again in 3\d s\."))
    handled.evaluate("window.dispatchEvent(new Event('online'))")
    expect(banner.get_by_role("button")).to_be_hidden()
    assert handled.evaluate("opened") == 1

    handled.clock.fast_forward(40_000)
    expect(banner).to_contain_text("Back online.")
    assert handled.evaluate("opened") == 2
