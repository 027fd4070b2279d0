"""Recordings belong to the conversation where they began, and are kept until they have arrived (P1, P21)."""

from playwright.sync_api import expect

from tests.e2e.reading import answered, answers, message_field, questions, say, text_of
from tests.e2e.recording import TRANSCRIPT, card, record
from tests.e2e.site import Site
from tests.provider.fixture import Provider
from tests.support.valkey import wait_until

#: Stops the next recording in the moment in which it begins.
SHORT_PRESS = """() => {
    const card = document.querySelector("#voice");
    const watcher = new MutationObserver(() => {
        if (card.dataset.kind !== "recording") return;
        watcher.disconnect();
        card.querySelector("[data-voice=send]").click();
    });
    watcher.observe(card, { attributes: true });
}"""


def test_recording_belongs_to_the_conversation_where_it_began(microphone, provider: Provider) -> None:
    """P21: the visitor goes elsewhere before it ends."""
    page = microphone()
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    provider.script(match="recording", text=TRANSCRIPT)
    record(page)
    page.get_by_role("link", name="New conversation").first.click()
    page.get_by_role("button", name="Stop and send").click()
    expect(page.locator("#notice")).to_contain_text("Your recording was sent in the conversation where")
    expect(questions(page)).to_have_count(0)
    page.get_by_role("button", name="Open it").click()
    expect(text_of(questions(page).nth(1))).to_have_text(TRANSCRIPT)
    expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")

    provider.script(match="recording", text="And in May?")
    record(page)
    page.get_by_role("link", name="New conversation").first.click()
    message_field(page).fill("Something else")
    page.get_by_role("button", name="Stop and edit").click()
    expect(page.locator("#notice")).to_contain_text("wait in the conversation where you recorded them")
    expect(message_field(page)).to_have_value("Something else")
    page.get_by_role("button", name="Open it").click()
    expect(message_field(page)).to_have_value("And in May?")


def test_transcript_is_put_in_at_the_cursor_and_undone(microphone, provider: Provider) -> None:
    """P21: neither what was typed nor the transcript is lost."""
    page = microphone()
    message_field(page).click()
    page.keyboard.type("Before, after.")
    for _ in range(len(" after.")):
        page.keyboard.press("ArrowLeft")
    provider.script(match="recording", text=TRANSCRIPT)
    record(page)
    page.get_by_role("button", name="Stop and edit").click()
    expect(message_field(page)).to_have_value(f"Before, {TRANSCRIPT} after.")
    page.keyboard.press("Control+z")
    expect(message_field(page)).to_have_value("Before, after.")
    page.keyboard.press("Control+Shift+z")
    expect(message_field(page)).to_have_value(f"Before, {TRANSCRIPT} after.")


def test_short_press_is_named_and_leaving_while_recording_asks_first(microphone, provider: Provider) -> None:
    """P21."""
    page = microphone()
    page.evaluate(SHORT_PRESS)
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("This recording is too short.")
    assert provider.requests == []
    page.get_by_role("button", name="Close").click()

    record(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.reload())")
    wait_until(lambda: page.evaluate("1") and asked == ["beforeunload"], "the question")
    expect(card(page)).to_contain_text("Recording")


def test_recording_that_could_not_be_sent_waits_over_a_reload(microphone, provider: Provider) -> None:
    """P1, P21: a recording is part of the draft."""
    page = microphone()
    page.route("**/api/audio", lambda route: route.abort())
    record(page)
    page.get_by_role("button", name="Stop and send").click()
    expect(card(page)).to_contain_text("There is no connection.")
    page.reload()
    expect(card(page)).to_contain_text("Your recording was not sent yet.")
    page.unroute("**/api/audio")
    provider.script(match="recording", text=TRANSCRIPT)
    page.get_by_role("button", name="Try again").click()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
    page.reload()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
    expect(card(page)).to_be_hidden()


def test_pending_transcript_arrives_after_reload(microphone, provider: Provider) -> None:
    provider.script(text=TRANSCRIPT, until="transcribed")
    page = microphone()
    record(page)
    page.get_by_role("button", name="Stop and edit").click()
    expect(card(page)).to_contain_text("Transcribing your recording")
    page.reload()
    expect(card(page)).to_contain_text("Transcribing your recording")
    provider.release("transcribed")
    expect(message_field(page)).to_have_value(TRANSCRIPT)


def test_recording_of_a_session_that_ends_goes_on_in_the_next(
    microphone, site: Site, provider: Provider
) -> None:
    """P2, P21: it is made to its end, and what is offered then can help."""
    page = microphone()
    answered(page, "Hello.")
    record(page)
    page.context.clear_cookies(name="sessionid")
    site.end_sessions()
    expect(page.locator("#banner")).to_contain_text("Your session has ended.")
    expect(card(page)).to_contain_text("Recording")
    page.get_by_role("button", name="Stop and send").click()
    expect(card(page)).to_contain_text("Your session has ended.")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(f"{site.url}/")
    expect(card(page)).to_contain_text("Your recording was not sent yet.")
    provider.script(match="recording", text=TRANSCRIPT)
    page.get_by_role("button", name="Try again").click()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
